//! The types MQTT packets are made of (sections 1.5 of both standards).

use super::packet::{MALFORMED, Wrong};

/// What is left of a packet while it is read from the front.
pub(super) struct Cut<'a>(pub(super) &'a [u8]);

const SHORT: Wrong = Wrong { code: MALFORMED, what: "the packet ends within a value" };

impl<'a> Cut<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Wrong> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    /// One byte.
    pub(super) fn byte(&mut self) -> Result<u8, Wrong> {
        Ok(self.take(1)?[0])
    }

    /// A two byte integer.
    pub(super) fn pair(&mut self) -> Result<u16, Wrong> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A packet id, which is never 0.
    pub(super) fn id(&mut self) -> Result<u16, Wrong> {
        match self.pair()? {
            0 => Err(Wrong { code: MALFORMED, what: "packet id 0; 1 to 65535 are ids" }),
            id => Ok(id),
        }
    }

    /// Binary data with its length in front.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Wrong> {
        let length = self.pair()?;
        self.take(usize::from(length))
    }

    /// A UTF-8 string.
    pub(super) fn text(&mut self) -> Result<&'a str, Wrong> {
        let text = std::str::from_utf8(self.bytes()?).ok().filter(|text| !text.contains('\0'));
        text.ok_or(Wrong { code: MALFORMED, what: "a text is not UTF-8 or has a NUL" })
    }

    /// Properties of MQTT 5, passed over as a whole.
    pub(super) fn properties(&mut self) -> Result<(), Wrong> {
        let (length, header) = varint(self.0)?.ok_or(SHORT)?;
        self.take(header)?;
        self.take(length)?;
        Ok(())
    }
}

/// A variable byte integer at the front, and the bytes it takes; nothing when more is needed.
pub(super) fn varint(bytes: &[u8]) -> Result<Option<(usize, usize)>, Wrong> {
    let mut value = 0;
    for (i, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Ok(Some((value, i + 1)));
        }
    }
    if bytes.len() < 4 { Ok(None) } else { Err(Wrong { code: MALFORMED, what: "a length of more than four bytes" }) }
}
