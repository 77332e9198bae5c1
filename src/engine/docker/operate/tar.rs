//! The little of the tar format that copying one file needs: the engine speaks of files in archives only. Pure.
//! POSIX.1-2017 `pax`, and GNU's long names and big numbers, which Go's archive/tar writes.

use crate::observe::text::clean;

/// Archives are made of these, bytes.
pub(super) const BLOCK: usize = 512;
/// The longest name or record beside a header, bytes.
const EXTRA: u64 = 1 << 20;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    Link,
    Other,
}

/// An entry's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Permission bits.
    pub(super) mode: u32,
    pub(super) uid: u64,
    pub(super) gid: u64,
    pub(super) size: u64,
    /// Seconds since 1970.
    pub(super) modified: u64,
}

/// The head of a regular file, ready to be written; its content and [`padding`] follow.
pub(super) fn head(entry: &Entry) -> Vec<u8> {
    let mut archive = Vec::new();
    if entry.name.len() > 100 {
        let record = pax_record("path", &entry.name);
        let extra = Entry { name: "long-name".to_owned(), size: record.len() as u64, ..entry.clone() };
        archive.extend_from_slice(&block(&extra, b'x'));
        archive.extend_from_slice(record.as_bytes());
        archive.resize(archive.len() + padding(record.len() as u64), 0);
    }
    archive.extend_from_slice(&block(entry, b'0'));
    archive
}

/// Bytes of nothing after a content of this size.
pub(super) fn padding(size: u64) -> usize {
    // The remainder is below a block.
    let rest = usize::try_from(size % BLOCK as u64).unwrap_or(0);
    (BLOCK - rest) % BLOCK
}

/// The end of an archive.
pub(super) const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// `27 path=some/long/name\n`, its own length in front.
fn pax_record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let mut length = rest;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    format!("{length} {key}={value}\n")
}

fn block(entry: &Entry, kind: u8) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let name = entry.name.as_bytes();
    let name = &name[..name.len().min(100)];
    block[..name.len()].copy_from_slice(name);
    number(&mut block[100..108], u64::from(entry.mode & 0o7777));
    number(&mut block[108..116], entry.uid);
    number(&mut block[116..124], entry.gid);
    number(&mut block[124..136], entry.size);
    number(&mut block[136..148], entry.modified);
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// A number in a field: octal digits, or where it is too big for them, binary with the first bit set.
fn number(field: &mut [u8], value: u64) {
    let digits = field.len() - 1;
    let text = format!("{value:0digits$o}");
    if text.len() == digits {
        field[..digits].copy_from_slice(text.as_bytes());
    } else {
        let start = field.len() - 8;
        field.fill(0);
        field[start..].copy_from_slice(&value.to_be_bytes());
        field[0] |= 0x80;
    }
}

/// Reads the first entry of an archive as it comes in, and then its content.
#[derive(Debug, Default)]
pub(super) struct Reader {
    held: Vec<u8>,
    /// From long-name entries in front of it.
    name: Option<String>,
    size: Option<u64>,
    entry: Option<Entry>,
    /// Of the content, still to come.
    left: u64,
}

impl Reader {
    /// Takes the next piece; answers what of it is content. Before [`Self::entry`] is there, nothing is.
    ///
    /// # Errors
    /// A sentence when this is no archive.
    pub(super) fn take(&mut self, piece: &[u8]) -> Result<Vec<u8>, String> {
        self.held.extend_from_slice(piece);
        while self.entry.is_none() && self.step()? {}
        if self.entry.is_none() {
            return Ok(Vec::new());
        }
        let take = usize::try_from(self.left).unwrap_or(usize::MAX).min(self.held.len());
        self.left -= take as u64;
        let content = self.held.drain(..take).collect();
        // Whatever follows is not of this entry.
        if self.left == 0 {
            self.held.clear();
        }
        Ok(content)
    }

    /// The entry, once its head has come in.
    pub(super) fn entry(&self) -> Option<&Entry> {
        self.entry.as_ref()
    }

    /// Whether the content is there to its end.
    pub(super) fn is_whole(&self) -> bool {
        self.entry.is_some() && self.left == 0
    }

    /// Reads one header; `false` when more must come in first.
    fn step(&mut self) -> Result<bool, String> {
        let Some(block) = self.held.get(..BLOCK) else { return Ok(false) };
        if block.iter().all(|byte| *byte == 0) {
            return Err("the archive is empty".to_owned());
        }
        let (entry, kind) = parse(block)?;
        if !matches!(kind, b'x' | b'g' | b'L' | b'K') {
            let size = self.size.take().unwrap_or(entry.size);
            let name = self.name.take().unwrap_or(entry.name);
            self.left = if entry.kind == Kind::File { size } else { 0 };
            self.entry = Some(Entry { name, size, ..entry });
            self.held.drain(..BLOCK);
            return Ok(true);
        }
        if entry.size > EXTRA {
            return Err("a name in the archive is absurdly long".to_owned());
        }
        let size = usize::try_from(entry.size).unwrap_or(0);
        let whole = BLOCK + size + padding(entry.size);
        if self.held.len() < whole {
            return Ok(false);
        }
        let extra = &self.held[BLOCK..BLOCK + size];
        match kind {
            b'x' => {
                for (key, value) in records(extra) {
                    match key.as_str() {
                        "path" => self.name = Some(value),
                        "size" => self.size = value.parse().ok(),
                        _ => {}
                    }
                }
            }
            b'L' => self.name = Some(text(extra)),
            _ => {}
        }
        self.held.drain(..whole);
        Ok(true)
    }
}

/// The key and value of each record of a `pax` header.
fn records(mut extra: &[u8]) -> Vec<(String, String)> {
    let mut records = Vec::new();
    while let Some(space) = extra.iter().position(|byte| *byte == b' ') {
        let length = std::str::from_utf8(&extra[..space]).ok().and_then(|text| text.parse::<usize>().ok());
        let Some(record) = length.filter(|length| *length > space + 1).and_then(|length| extra.get(space + 1..length)) else {
            break;
        };
        let record = String::from_utf8_lossy(record.strip_suffix(b"\n").unwrap_or(record)).into_owned();
        if let Some((key, value)) = record.split_once('=') {
            records.push((key.to_owned(), value.to_owned()));
        }
        extra = &extra[length.unwrap_or(extra.len())..];
    }
    records
}

fn parse(block: &[u8]) -> Result<(Entry, u8), String> {
    let field = |from: usize, to: usize| read_number(block.get(from..to).unwrap_or_default());
    let sum: u64 =
        block.iter().enumerate().map(|(at, byte)| u64::from(if (148..156).contains(&at) { b' ' } else { *byte })).sum();
    if field(148, 156) != Some(sum) {
        return Err("what the engine sent is no archive".to_owned());
    }
    let kind = match block[156] {
        b'0' | 0 | b'7' => Kind::File,
        b'5' => Kind::Folder,
        b'2' => Kind::Link,
        _ => Kind::Other,
    };
    let figure = |from, to| field(from, to).ok_or_else(|| "a figure in the archive cannot be read".to_owned());
    let entry = Entry {
        name: text(&block[..100]),
        kind,
        mode: u32::try_from(figure(100, 108)? & 0o7777).unwrap_or(0o644),
        uid: figure(108, 116)?,
        gid: figure(116, 124)?,
        size: figure(124, 136)?,
        modified: field(136, 148).unwrap_or(0),
    };
    Ok((entry, block[156]))
}

fn read_number(field: &[u8]) -> Option<u64> {
    if field.first()? & 0x80 != 0 {
        let (high, low) = field.split_at(field.len() - field.len().min(8));
        let zero = high.iter().enumerate().all(|(at, byte)| *byte == if at == 0 { 0x80 } else { 0 });
        let low: [u8; 8] = low.try_into().ok()?;
        let value = u64::from_be_bytes(low);
        return if high.is_empty() { Some(value & !(0x80 << 56)) } else { zero.then_some(value) };
    }
    let text = std::str::from_utf8(field).ok()?.trim_matches(|c: char| c == '\0' || c == ' ');
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    clean(&String::from_utf8_lossy(&bytes[..end])).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, size: u64) -> Entry {
        Entry { name: name.to_owned(), kind: Kind::File, mode: 0o640, uid: 1000, gid: 70_000_000, size, modified: 1_763_733_802 }
    }

    fn archive(entry: &Entry, content: &[u8]) -> Vec<u8> {
        let mut archive = head(entry);
        archive.extend_from_slice(content);
        archive.resize(archive.len() + padding(entry.size), 0);
        archive.extend_from_slice(&END);
        archive
    }

    #[test]
    fn what_is_written_is_read_whatever_the_pieces() {
        let long = format!("{}/upstream.conf", "folder".repeat(30));
        for name in ["upstream.conf", long.as_str()] {
            for content in [&b""[..], b"x", &[7; 512], &[9; 1300]] {
                let entry = entry(name, content.len() as u64);
                let archive = archive(&entry, content);
                assert_eq!(archive.len() % BLOCK, 0);
                for size in [1, 7, 512, 4000] {
                    let mut reader = Reader::default();
                    let read: Vec<u8> = archive.chunks(size).flat_map(|piece| reader.take(piece).unwrap()).collect();
                    assert_eq!((reader.entry(), read.as_slice()), (Some(&entry), content), "{name} in {size}");
                    assert!(reader.is_whole());
                }
            }
        }
    }

    #[test]
    fn an_archive_of_another_program_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let name = "n".repeat(140);
        std::fs::write(folder.path().join(&name), "content").unwrap();
        for format in ["pax", "gnu", "ustar"] {
            let short = if format == "ustar" { "short" } else { &name };
            std::fs::write(folder.path().join(short), "content").unwrap();
            let output = std::process::Command::new("tar")
                .args(["-c", &format!("--format={format}"), "-C"])
                .arg(folder.path())
                .arg(short)
                .output()
                .unwrap();
            let mut reader = Reader::default();
            let read = reader.take(&output.stdout).unwrap();
            let entry = reader.entry().unwrap();
            assert_eq!((entry.name.as_str(), entry.kind, read.as_slice()), (short, Kind::File, &b"content"[..]), "{format}");
        }
    }

    #[test]
    fn what_breaks_off_or_is_no_archive_is_told() {
        let archive = archive(&entry("a", 1000), &[1; 1000]);
        let mut reader = Reader::default();
        assert_eq!(reader.take(&archive[..900]).unwrap().len(), 900 - BLOCK);
        assert!(!reader.is_whole());
        assert!(Reader::default().take(&[b'x'; 600]).is_err());
        assert!(Reader::default().take(&[0; 600]).is_err());
        assert_eq!(Reader::default().take(b"short"), Ok(Vec::new()));
    }

    #[test]
    fn big_figures_are_written_as_others_read_them() {
        /// The most that eleven octal digits say.
        const OCTAL: u64 = 0o777_7777_7777;
        let mut field = [0; 12];
        for value in [0, 7, OCTAL, OCTAL + 1, 1 << 40] {
            number(&mut field, value);
            assert_eq!(read_number(&field), Some(value), "{value}");
        }
        let mut field = [0; 8];
        number(&mut field, 70_000_000);
        assert_eq!(read_number(&field), Some(70_000_000));
    }
}
