using Snapshot.Base;
using Snapshot.Image;
using Xunit;

namespace Snapshot.Tests.Image;

/// <summary>
/// A memory of a few regions, changed at random from a seed, and images of it: the truth against which chains
/// are held. A page is known by a tag from which its content follows; tag 0 is the zero page.
/// </summary>
internal sealed class MemoryModel
{
    private readonly Random _random;
    private readonly List<Region> _regions = [];
    private int _tag;

    internal MemoryModel(int seed, int regionCount, int pagesMax)
    {
        _random = new Random(seed);
        for (int i = 0; i < regionCount; i++)
        {
            int pages = _random.Next(pagesMax + 1);
            _regions.Add(new Region(i + 1, Enumerable.Range(0, pages).Select(_ => RandomPage()).ToList()));
        }
    }

    /// <summary>Changes some pages and lets some regions grow.</summary>
    internal void Mutate()
    {
        foreach (Region region in _regions)
        {
            for (int i = 0; i < region.Pages.Count; i++)
            {
                region.Changed[i] = _random.Next(4) == 0;
                if (region.Changed[i]) region.Pages[i] = RandomPage();
            }

            for (int grow = _random.Next(4); grow > 0; grow--)
            {
                region.Pages.Add(RandomPage());
                region.Changed.Add(true);
            }
        }
    }

    /// <summary>What a restart must find: region id to bytes.</summary>
    internal Dictionary<int, byte[]> Content() =>
        _regions.ToDictionary(region => region.Id, region => region.Pages.SelectMany(PageBytes).ToArray());

    /// <summary>Writes the memory: all of it, or what changed by the last <see cref="Mutate"/>.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="full">All of it.</param>
    /// <param name="unitOf">Pages that were written ahead, and in which unit.</param>
    internal void WriteTo(ImageWriter writer, bool full, Dictionary<(int, int), int>? unitOf = null)
    {
        foreach (Region region in _regions)
        {
            writer.BeginRegion(Describe(region));
            for (int i = 0; i < region.Pages.Count; i++)
            {
                if (unitOf?.TryGetValue((region.Id, i), out int unit) == true) writer.AppendUnit(unit, 1);
                else if (!full && !region.Changed[i]) writer.Append(ExtentKind.InParent, 1);
                else Write(writer, region.Pages[i]);
            }
        }
    }

    /// <summary>Writes what changed by the last <see cref="Mutate"/>, and the rest from a chain.</summary>
    internal void WriteInheriting(ImageWriter writer, ChainPages chain)
    {
        foreach (Region region in _regions)
        {
            writer.BeginRegion(Describe(region));
            for (int i = 0; i < region.Pages.Count; i++)
            {
                if (region.Changed[i])
                {
                    Write(writer, region.Pages[i]);
                    continue;
                }

                foreach (ChainRun run in chain.Region(region.Id).Within(new PageRange(i, 1)))
                    chain.Append(writer, run);
            }
        }
    }

    /// <summary>
    /// The same, with most of the present pages written ahead: stretches of them, in random order.
    /// </summary>
    internal void WriteInUnits(ImageWriter writer, bool full, int seed)
    {
        Random random = new(seed);
        List<(Region Region, int First, int Count)> stretches = [];
        foreach (Region region in _regions)
        {
            for (int at = 0, count; at < region.Pages.Count; at += count)
            {
                count = Math.Min(random.Next(1, 200), region.Pages.Count - at);
                if (random.Next(4) != 0) stretches.Add((region, at, count));
            }
        }

        Dictionary<(int, int), int> unitOf = [];
        foreach ((Region region, int first, int count) in stretches.OrderBy(_ => random.Next()))
        {
            int unit = writer.BeginUnit();
            for (int i = first; i < first + count; i++)
            {
                Page page = region.Pages[i];
                if (page.Excluded || page.Tag == 0 || (!full && !region.Changed[i])) continue;
                writer.AppendPages(PageBytes(page), page.Tag % 2 == 0 ? 8 : 0);
                unitOf.Add((region.Id, i), unit);
            }

            writer.EndUnit();
        }

        WriteTo(writer, full, unitOf);
    }

    /// <summary>What a chain restores.</summary>
    internal static Dictionary<int, byte[]> Restore(IReadOnlyList<ImageReader> chain)
    {
        Dictionary<int, byte[]> content = [];
        using BlockScratch scratch = new();
        foreach (ChainRegion region in ChainMap.Build(chain).Regions)
        {
            byte[] bytes = new byte[region.Description.CommittedPages * 4096];
            long next = 0;
            foreach (ref readonly ChainRun run in region.Runs)
            {
                Assert.Equal(next, run.FirstPage);
                next += run.PageCount;
                for (long i = 0; run.Kind == ExtentKind.Present && i < run.PageCount; i++)
                {
                    ImageReader image = chain[run.Image];
                    int block = image.BlockOf(run.FirstOrdinal + i);
                    int page = (int)(run.FirstOrdinal + i - image.Blocks[block].FirstOrdinal);
                    image.ReadBlock(block, scratch).Slice(page * 4096, 4096)
                        .CopyTo(bytes.AsSpan((int)(run.FirstPage + i) * 4096));
                }
            }

            Assert.Equal(region.Description.CommittedPages, next);
            content.Add(region.Description.Id, bytes);
        }

        return content;
    }

    internal static void AssertSame(Dictionary<int, byte[]> expected, Dictionary<int, byte[]> actual)
    {
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        foreach ((int id, byte[] bytes) in expected)
            Assert.True(bytes.AsSpan().SequenceEqual(actual[id]), $"region {id} differs");
    }

    private static RegionDescription Describe(Region region) => new(
        region.Id, $"region {region.Id}", RegionKind.Arena, 0x2000_0000_0000UL + ((ulong)region.Id << 32),
        region.Pages.Count, 1L << 31, (long)region.Pages.Count * 4096, region.Id % 2 == 0);

    private static void Write(ImageWriter writer, Page page)
    {
        if (page.Excluded) writer.Append(ExtentKind.Excluded, 1);
        else if (page.Tag == 0) writer.Append(ExtentKind.Zero, 1);
        else writer.AppendPages(PageBytes(page), page.Tag % 2 == 0 ? 8 : 0);
    }

    /// <summary>Tags divisible by 3 are noise, the others a smooth field of doubles.</summary>
    private static byte[] PageBytes(Page page)
    {
        byte[] bytes = new byte[4096];
        if (page.Excluded || page.Tag == 0) return bytes;
        if (page.Tag % 3 == 0) new Random(page.Tag).NextBytes(bytes);
        else
            for (int i = 0; i < 512; i++)
                BitConverter.TryWriteBytes(bytes.AsSpan(i * 8), 1.0 + page.Tag + i * 1e-6);
        return bytes;
    }

    private Page RandomPage() => _random.Next(6) switch
    {
        0 => new Page(0, false),
        1 => new Page(++_tag, true),
        _ => new Page(++_tag, false),
    };

    private readonly record struct Page(int Tag, bool Excluded);

    private sealed record Region(int Id, List<Page> Pages)
    {
        internal List<bool> Changed { get; } = [.. Pages.Select(_ => true)];
    }
}
