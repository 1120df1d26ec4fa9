//! Bytes of record bodies: little-endian numbers, LEB128 counts, counted texts; reading checks every length.

/// What is wrong with bytes that cannot be read, for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub &'static str);

/// Appends a count: seven bits a byte, lowest first (unsigned LEB128).
pub(super) fn put_count(out: &mut Vec<u8>, count: usize) {
    let mut rest = count;
    while rest > 0x7f {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Appends bytes behind their count.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_count(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// Appends a number of eight bytes.
pub(super) fn put_u64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// Bytes still to be read.
pub(super) struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    /// The next `n` bytes.
    pub(super) fn take(&mut self, n: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.0.split_at_checked(n).ok_or(Malformed("a length runs past the record's end"))?;
        self.0 = rest;
        Ok(head)
    }

    /// The next `N` bytes.
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// A byte.
    pub(super) fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.array::<1>()?[0])
    }

    /// A number of eight bytes.
    pub(super) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    /// A signed number of eight bytes.
    pub(super) fn i64(&mut self) -> Result<i64, Malformed> {
        self.array().map(i64::from_le_bytes)
    }

    /// A count of things of at least one byte each, so that nobody reserves room for more than there can be.
    pub(super) fn count(&mut self) -> Result<usize, Malformed> {
        let mut count = 0_usize;
        for shift in (0..5).map(|i| 7 * i) {
            let byte = self.u8()?;
            count |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return if count <= self.0.len() {
                    Ok(count)
                } else {
                    Err(Malformed("a count is larger than the record"))
                };
            }
        }
        Err(Malformed("a count has too many digits"))
    }

    /// Counted bytes.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let count = self.count()?;
        self.take(count)
    }

    /// A counted text.
    pub(super) fn text(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed("a text is not UTF-8"))
    }

    /// Nothing must be left.
    pub(super) fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed("bytes are left over")) }
    }
}
