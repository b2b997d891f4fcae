using Snapshot.Base;

namespace Snapshot.Image;

/// <summary>Parses the sections of an index that do not speak of pages.</summary>
internal static class MetadataReader
{
    internal static RootDescription[] Roots(FormatReader from)
    {
        RootDescription[] roots = new RootDescription[CountOf(ref from, 28)];
        for (int i = 0; i < roots.Length; i++)
        {
            int region = from.Id();
            from.Skip(4);
            long count = from.Size();
            long offset = from.Size();
            string name = from.Name();
            roots[i] = new RootDescription(region, name, from.Text(), count, offset);
        }

        from.ExpectEnd();
        return roots;
    }

    internal static ParticipantDescription[] Participants(FormatReader from)
    {
        ParticipantDescription[] participants = new ParticipantDescription[CountOf(ref from, 10)];
        for (int i = 0; i < participants.Length; i++)
        {
            int id = from.Id();
            ParticipantKind kind = (ParticipantKind)from.U8();
            if (!Enum.IsDefined(kind)) throw from.Unsupported($"participant {id} is of kind {(int)kind}");
            from.Skip(1);
            int handlerCount = from.U16();
            string name = from.Name();
            string[] handlers = new string[from.Count((ulong)handlerCount, 2)];
            for (int k = 0; k < handlers.Length; k++) handlers[k] = from.Name();
            participants[i] = new ParticipantDescription(id, name, kind, handlers);
        }

        from.ExpectEnd();
        return participants;
    }

    internal static HandlerDescription[] Handlers(FormatReader from)
    {
        HandlerDescription[] handlers = new HandlerDescription[CountOf(ref from, 6)];
        for (int i = 0; i < handlers.Length; i++)
        {
            int id = from.Id();
            handlers[i] = new HandlerDescription(id, from.Name());
        }

        from.ExpectEnd();
        return handlers;
    }

    internal static LockOwnerDescription[] Owners(FormatReader from)
    {
        LockOwnerDescription[] owners = new LockOwnerDescription[CountOf(ref from, 8)];
        for (int i = 0; i < owners.Length; i++)
        {
            int id = from.Id();
            LockOwnerKind kind = (LockOwnerKind)from.U8();
            if (!Enum.IsDefined(kind)) throw from.Corrupt($"lock owner {id} is of unknown kind {(int)kind}");
            from.Skip(1);
            owners[i] = new LockOwnerDescription(id, from.Name(), kind);
        }

        from.ExpectEnd();
        return owners;
    }

    internal static EnvironmentDescription Environment(FormatReader from)
    {
        string[] texts = new string[6];
        for (int i = 0; i < texts.Length; i++) texts[i] = from.Text();
        from.ExpectEnd();
        return new EnvironmentDescription(
            texts[0], texts[1], texts[2], texts[3], OrNull(texts[4]), OrNull(texts[5]));
    }

    internal static KeyValuePair<string, string>[] Figures(FormatReader from)
    {
        KeyValuePair<string, string>[] figures = new KeyValuePair<string, string>[CountOf(ref from, 4)];
        for (int i = 0; i < figures.Length; i++)
        {
            string name = from.Text();
            figures[i] = new KeyValuePair<string, string>(name, from.Text());
        }

        from.ExpectEnd();
        return figures;
    }

    private static int CountOf(ref FormatReader from, int itemBytesMin)
    {
        uint count = from.U32();
        from.Skip(4);
        return from.Count(count, itemBytesMin);
    }

    private static string? OrNull(string text) => text.Length == 0 ? null : text;
}
