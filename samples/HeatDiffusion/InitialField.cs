namespace HeatDiffusion;

/// <summary>
/// Temperatures from a picture, which is stretched to the plate: each value is that of the pixel under its
/// middle.
/// </summary>
internal static unsafe class InitialField
{
    internal static void Fill(GreyImage image, int size, double* field)
    {
        for (int y = 0; y < size; y++)
        {
            for (int x = 0; x < size; x++)
            {
                double grey = image.At((x + 0.5) / size, (y + 0.5) / size);
                field[(long)y * size + x] = grey * HeatOptions.HottestTemperature;
            }
        }
    }
}
