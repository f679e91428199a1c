//! Reads back the text and the structure of a PDF, as far as this crate writes it: plain objects, deflated streams, and
//! fonts that say which glyph is which character.

use std::{collections::BTreeMap, io::Read};

/// An object: its text, and what is in its stream.
struct Object {
    text: String,
    stream: Vec<u8>,
}

/// A document, taken apart.
pub struct Pdf(BTreeMap<u32, Object>);

/// The number after a name, as in `/Length 12`.
fn number_after(text: &str, name: &str) -> Option<u32> {
    let rest = text.split_once(name)?.1.trim_start();
    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

fn find(bytes: &[u8], part: &[u8], from: usize) -> Option<usize> {
    bytes.get(from..)?.windows(part.len()).position(|window| window == part).map(|place| from + place)
}

impl Pdf {
    pub fn read(bytes: &[u8]) -> Self {
        let mut objects = BTreeMap::new();
        let mut place = 0;
        while let Some(found) = find(bytes, b" 0 obj\n", place) {
            let digits = bytes[..found].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            let number = std::str::from_utf8(&bytes[found - digits..found]).unwrap().parse().unwrap();
            let start = found + 7;
            let end = find(bytes, b"endobj", start).unwrap();
            let (text, stream, next) = match find(bytes, b"\nstream\n", start).filter(|stream| *stream < end) {
                Some(stream) => {
                    let text = String::from_utf8_lossy(&bytes[start..stream]).into_owned();
                    let length = number_after(&text, "/Length").unwrap() as usize;
                    let raw = &bytes[stream + 8..stream + 8 + length];
                    (text.clone(), inflated(&text, raw), stream + 8 + length)
                }
                None => (String::from_utf8_lossy(&bytes[start..end]).into_owned(), vec![], end),
            };
            objects.insert(number, Object { text, stream });
            place = next;
        }
        Self(objects)
    }

    /// Whether some object holds a text, blanks aside.
    pub fn objects_hold(&self, part: &str) -> bool {
        let plain = |text: &str| text.split_whitespace().collect::<String>();
        self.0.values().any(|object| plain(&object.text).contains(&plain(part)))
    }

    /// How many structure elements are of a kind.
    pub fn count_structures(&self, kind: &str) -> usize {
        let of = |object: &&Object| {
            let name = object.text.split_once("/S/").or_else(|| object.text.split_once("/S /")).map(|(_, rest)| rest);
            name.is_some_and(|rest| {
                let name: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
                format!("/{name}") == kind
            })
        };
        self.0.values().filter(of).count()
    }

    /// The metadata in XML.
    pub fn metadata(&self) -> String {
        let found = self.0.values().find(|object| object.text.contains("/Metadata") && !object.stream.is_empty());
        String::from_utf8_lossy(&found.unwrap().stream).into_owned()
    }

    /// The text of each page, in the order in which it was drawn.
    pub fn pages(&self) -> Vec<String> {
        let tree = self.0.values().find(|object| object.text.contains("/Kids")).unwrap();
        let kids = tree.text.split_once("/Kids").unwrap().1.split_once('[').unwrap().1.split_once(']').unwrap().0;
        let numbers = kids.split(" 0 R").filter_map(|number| number.trim().parse::<u32>().ok());
        numbers.map(|number| self.page(&self.0[&number].text)).collect()
    }

    fn page(&self, page: &str) -> String {
        let contents = &self.0[&number_after(page, "/Contents").unwrap()].stream;
        let resources = match number_after(page, "/Resources") {
            Some(number) => &self.0[&number].text,
            None => page,
        };
        let fonts = match number_after(resources, "/Font") {
            Some(number) => self.0[&number].text.clone(),
            None => resources.split_once("/Font").unwrap().1.split_once(">>").unwrap().0.to_owned(),
        };
        let mut maps = BTreeMap::new();
        for part in fonts.trim_start_matches(['<', ' ', '\n']).split('/').skip(1) {
            let (name, reference) = part.split_once(' ').unwrap();
            let digits: String = reference.chars().take_while(char::is_ascii_digit).collect();
            let Ok(number) = digits.parse::<u32>() else { continue };
            let font = &self.0[&number].text;
            let map = &self.0[&number_after(font, "/ToUnicode").unwrap()].stream;
            maps.insert(name.to_owned(), characters(&String::from_utf8_lossy(map)));
        }
        drawn(contents, &maps)
    }
}

fn inflated(text: &str, raw: &[u8]) -> Vec<u8> {
    if !text.contains("FlateDecode") {
        return raw.to_vec();
    }
    let mut out = vec![];
    flate2::read::ZlibDecoder::new(raw).read_to_end(&mut out).unwrap();
    out
}

/// Which glyph is which text: `<0001> <0041>` in lists, and `<0001> <0003> <0041>` in ranges.
fn characters(map: &str) -> BTreeMap<u16, String> {
    let mut found = BTreeMap::new();
    for line in map.lines() {
        let parts: Vec<&str> = line.split(['<', '>']).map(str::trim).filter(|part| !part.is_empty()).collect();
        let hex = |text: &str| u16::from_str_radix(text, 16).ok();
        let text = |text: &str| {
            let units: Vec<u16> =
                text.as_bytes().chunks(4).filter_map(|unit| hex(std::str::from_utf8(unit).unwrap())).collect();
            String::from_utf16(&units).unwrap()
        };
        match parts.as_slice() {
            [glyph, to] => {
                if let Some(glyph) = hex(glyph) {
                    found.insert(glyph, text(to));
                }
            }
            [first, last, to] => {
                if let (Some(first), Some(last), Some(start)) = (hex(first), hex(last), hex(to)) {
                    for (step, glyph) in (first..=last).enumerate() {
                        let unit = start + u16::try_from(step).unwrap();
                        found.insert(glyph, String::from_utf16(&[unit]).unwrap());
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// The text that a stream draws.
fn drawn(stream: &[u8], maps: &BTreeMap<String, BTreeMap<u16, String>>) -> String {
    let mut text = String::new();
    let mut font = String::new();
    let mut place = 0;
    while let Some(byte) = stream.get(place) {
        match byte {
            b'(' => {
                let (glyphs, next) = literal(stream, place + 1);
                text.push_str(&said(&glyphs, maps.get(&font)));
                place = next;
            }
            b'<' if stream.get(place + 1) == Some(&b'<') => place += 2,
            b'<' => {
                let end = find(stream, b">", place).unwrap();
                let hex = std::str::from_utf8(&stream[place + 1..end]).unwrap();
                let glyphs: Vec<u8> = hex
                    .as_bytes()
                    .chunks(2)
                    .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
                    .collect();
                text.push_str(&said(&glyphs, maps.get(&font)));
                place = end + 1;
            }
            b'/' => {
                let name: Vec<u8> =
                    stream[place + 1..].iter().copied().take_while(|byte| byte.is_ascii_alphanumeric()).collect();
                let name = String::from_utf8(name).unwrap();
                place += 1 + name.len();
                if maps.contains_key(&name) {
                    font = name;
                }
            }
            _ => place += 1,
        }
    }
    text
}

/// The bytes of a string in brackets, and what comes after it.
fn literal(stream: &[u8], mut place: usize) -> (Vec<u8>, usize) {
    let (mut bytes, mut depth) = (vec![], 1);
    loop {
        let byte = stream[place];
        place += 1;
        match byte {
            b'\\' => {
                let escaped = stream[place];
                place += 1;
                match escaped {
                    b'n' => bytes.push(b'\n'),
                    b'r' => bytes.push(b'\r'),
                    b't' => bytes.push(b'\t'),
                    b'b' => bytes.push(8),
                    b'f' => bytes.push(12),
                    b'0'..=b'7' => {
                        let mut value = u32::from(escaped - b'0');
                        for _ in 0..2 {
                            let next = stream[place];
                            if !(b'0'..=b'7').contains(&next) {
                                break;
                            }
                            value = value * 8 + u32::from(next - b'0');
                            place += 1;
                        }
                        bytes.push(u8::try_from(value).unwrap());
                    }
                    other => bytes.push(other),
                }
            }
            b'(' => {
                depth += 1;
                bytes.push(byte);
            }
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return (bytes, place);
                }
                bytes.push(byte);
            }
            other => bytes.push(other),
        }
    }
}

fn said(glyphs: &[u8], map: Option<&BTreeMap<u16, String>>) -> String {
    let Some(map) = map else { return String::new() };
    let glyph = |two: &[u8]| map.get(&u16::from_be_bytes([two[0], two[1]])).cloned().unwrap_or_default();
    glyphs.chunks_exact(2).map(glyph).collect()
}
