using CsCheck;
using Snapshot.Base;
using Snapshot.Tracking;
using Xunit;

namespace Snapshot.Tests.Tracking;

public sealed class PageHashesTests
{
    [Fact]
    public void A_page_is_unknown_until_it_is_set_and_after_it_is_forgotten()
    {
        byte[] content = new byte[Pages.Size];
        content[17] = 1;
        using PageHashes hashes = new(100);
        Assert.False(hashes.IsKnown(40));
        Assert.False(hashes.Matches(40, content, out PageHash hash));
        hashes.Set(40, hash);
        Assert.True(hashes.Matches(40, content, out _));
        Assert.False(hashes.Matches(41, content, out _));

        using PageBitmap forgotten = new(100);
        forgotten.Add(new PageRange(39, 3));
        hashes.Forget(forgotten);
        Assert.False(hashes.Matches(40, content, out _));
        Assert.False(hashes.IsKnown(40));
    }

    [Fact]
    public void A_page_outside_the_table_is_refused()
    {
        using PageHashes hashes = new(10);
        Assert.Throws<ArgumentOutOfRangeException>(() => hashes.Set(10, PageHash.Zeros));
        Assert.Throws<ArgumentOutOfRangeException>(() => hashes.IsKnown(-1));
    }

    [Fact]
    public void Zeros_have_one_hash_whatever_their_length()
    {
        for (int length = 1; length <= Pages.Size; length++)
            Assert.Equal(PageHash.Zeros, PageHashes.Hash(new byte[length]));
    }

    [Fact]
    public void One_bit_anywhere_makes_a_page_neither_zero_nor_equal() =>
        Gen.Select(Gen.Byte.Array[Pages.Size], Gen.Int[0, (Pages.Size * 8) - 1]).Sample((content, bit) =>
        {
            PageHash before = PageHashes.Hash(content);
            content[bit / 8] ^= (byte)(1 << (bit % 8));
            byte[] single = new byte[Pages.Size];
            single[bit / 8] = (byte)(1 << (bit % 8));
            return PageHashes.Hash(content) != before && PageHashes.IsZero(new byte[Pages.Size])
                && !PageHashes.IsZero(single);
        }, iter: 500);
}
