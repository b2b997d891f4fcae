using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using KillDemo;

namespace HeatDiffusion;

/// <summary>
/// A grey picture, row by row from the top; each value is between 0 and <paramref name="Max"/>.
/// </summary>
internal sealed record GreyImage(int Width, int Height, int Max, ushort[] Values)
{
    /// <summary>
    /// The grey at a place given in parts of the width and height, both in [0, 1), as a part of white.
    /// </summary>
    internal double At(double x, double y) =>
        (double)Values[(int)(y * Height) * Width + (int)(x * Width)] / Max;
}

/// <summary>
/// The plain picture format PGM: P2 (text) and P5 (binary, one or two bytes a value).
/// http://netpbm.sourceforge.net/doc/pgm.html
/// </summary>
internal static class Pgm
{
    /// <summary>More than any sample needs; keeps a damaged header from asking for all memory.</summary>
    private const int SideMax = 32768;

    private const int Grey8Max = 255;
    private const int Grey16Max = 65535;

    /// <exception cref="RunException">It cannot be read, or is not a PGM; the message says where.</exception>
    internal static GreyImage Read(string path)
    {
        try
        {
            return Parse(File.ReadAllBytes(path));
        }
        catch (FormatException error)
        {
            throw new RunException($"'{path}' is not a PGM picture: {error.Message}", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new RunException($"The input picture cannot be read: {error.Message}", error);
        }
    }

    /// <exception cref="FormatException">The bytes are not a PGM.</exception>
    internal static GreyImage Parse(ReadOnlySpan<byte> bytes)
    {
        Reader reader = new(bytes);
        bool isText = reader.Magic() == '2';
        int width = reader.Number("the width", 1, SideMax);
        int height = reader.Number("the height", 1, SideMax);
        int max = reader.Number("the largest value", 1, Grey16Max);
        if (!isText) reader.SkipOneBlank();

        int valueBytes =
            isText ? 2 : max > Grey8Max ? 2 : 1; // as text a value takes a digit and a blank at least
        if ((long)width * height * valueBytes - (isText ? 1 : 0) > reader.Remaining)
        {
            throw new FormatException(
                $"it ends after {reader.Remaining} bytes of values, too few for {width} x {height}.");
        }

        ushort[] values = new ushort[width * height];
        for (int index = 0; index < values.Length; index++)
        {
            int value = isText ? reader.Number("a value", 0, max) : reader.Binary(valueBytes);
            if (value > max)
                throw new FormatException($"value {index} is {value}, more than the largest, {max}.");
            values[index] = (ushort)value;
        }

        return new GreyImage(width, height, max, values);
    }

    /// <summary>Writes a picture of 8-bit grey.</summary>
    internal static void Write(string path, int width, int height, ReadOnlySpan<byte> values)
    {
        using FileStream file = File.Create(path);
        string header = string.Create(CultureInfo.InvariantCulture, $"P5\n{width} {height}\n{Grey8Max}\n");
        file.Write(Encoding.ASCII.GetBytes(header));
        file.Write(values);
    }

    private ref struct Reader(ReadOnlySpan<byte> bytes)
    {
        private readonly ReadOnlySpan<byte> _bytes = bytes;
        private int _at;

        internal readonly int Remaining => _bytes.Length - _at;

        internal char Magic()
        {
            if (_bytes.Length < 2 || _bytes[0] != 'P' || _bytes[1] is not ((byte)'2' or (byte)'5'))
                throw new FormatException("it does not begin with P2 or P5.");
            _at = 2;
            return (char)_bytes[1];
        }

        internal int Number(string what, int least, int most)
        {
            SkipBlanksAndComments();
            int start = _at;
            long value = 0;
            while (_at < _bytes.Length && char.IsAsciiDigit((char)_bytes[_at]) && value <= most)
                value = value * 10 + (_bytes[_at++] - '0');
            if (_at == start) throw new FormatException($"{what} is missing at byte {start}.");
            if (value < least || value > most)
                throw new FormatException($"{what} at byte {start} is not between {least} and {most}.");
            return (int)value;
        }

        internal int Binary(int valueBytes)
        {
            int value = valueBytes == 1 ? _bytes[_at] : BinaryPrimitives.ReadUInt16BigEndian(_bytes[_at..]);
            _at += valueBytes;
            return value;
        }

        internal void SkipOneBlank()
        {
            if (Remaining == 0 || !IsBlank(_bytes[_at]))
                throw new FormatException(
                    $"white space is missing at byte {_at}, between header and values.");
            _at++;
        }

        private void SkipBlanksAndComments()
        {
            while (_at < _bytes.Length && (IsBlank(_bytes[_at]) || _bytes[_at] == '#'))
            {
                if (_bytes[_at] == '#')
                {
                    while (_at < _bytes.Length && _bytes[_at] is not ((byte)'\n' or (byte)'\r')) _at++;
                }
                else
                {
                    _at++;
                }
            }
        }

        private static bool IsBlank(byte letter) => letter is (byte)' ' or (>= 9 and <= 13);
    }
}
