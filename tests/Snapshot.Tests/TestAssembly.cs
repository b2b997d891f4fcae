using Xunit;

// Arenas have fixed addresses, and a restart in this process needs those of the image: one test at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
