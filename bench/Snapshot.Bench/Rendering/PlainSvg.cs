using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Snapshot.Bench;

/// <summary>
/// Makes of a drawing one that every renderer shows alike. Colours and strokes are attributes of their own,
/// for some renderers read no style. Text has no other baseline than its own, no stroke of what came before
/// it, and is placed by y, for some renderers read no dy. Nothing is clipped, for some then show nothing; the
/// axes hold all points.
/// </summary>
internal static partial class PlainSvg
{
    private const double MiddleOfText = 0.35, TopOfText = 0.75;

    internal static string Of(string drawing)
    {
        XElement root = XElement.Parse(drawing);
        root.Descendants().Where(element => element.Name.LocalName is "defs").Remove();
        foreach (XElement element in root.DescendantsAndSelf())
        {
            element.Attribute("clip-path")?.Remove();
            if (element.Name.LocalName == "text") element.SetAttributeValue("stroke", "none");
            StyleToAttributes(element);
            BaselineToOffset(element);
            foreach (XAttribute attribute in element.Attributes())
                attribute.Value = PlainColor(attribute.Value);
        }

        if (root.Name.LocalName == "svg") MakeGroup(root);
        return root.ToString();
    }

    /// <summary>Some renderers show no drawing inside of another.</summary>
    private static void MakeGroup(XElement drawing)
    {
        drawing.RemoveAttributes();
        drawing.Name = drawing.Name.Namespace + "g";
    }

    private static void StyleToAttributes(XElement element)
    {
        if (element.Attribute("style") is not { } style) return;
        foreach (string declaration in style.Value.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = declaration.Split(':', 2);
            element.SetAttributeValue(parts[0].Trim(), parts[1].Trim());
        }

        style.Remove();
    }

    private static void BaselineToOffset(XElement element)
    {
        if (element.Attribute("dominant-baseline") is not { } baseline) return;
        double shift = baseline.Value switch
        {
            "middle" or "central" => MiddleOfText,
            "hanging" or "text-before-edge" => TopOfText,
            _ => 0,
        };
        double size = double.Parse(element.Attribute("font-size")!.Value, CultureInfo.InvariantCulture);
        if (shift > 0)
            element.SetAttributeValue("y", (shift * size).ToString("0.##", CultureInfo.InvariantCulture));
        baseline.Remove();
    }

    private static string PlainColor(string value) => Rgb().Replace(value, match => "#" + string.Concat(
        match.Groups.Values.Skip(1)
            .Select(part => byte.Parse(part.Value, CultureInfo.InvariantCulture).ToString("x2"))));

    [GeneratedRegex(@"rgb\((\d+),(\d+),(\d+)\)")]
    private static partial Regex Rgb();
}
