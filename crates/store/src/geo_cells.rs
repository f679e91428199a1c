//! Geography in an ordered key space: a linear quadtree over the world in degrees.
//!
//! A box is filed under at most four cells of the deepest level whose cells are at least as large as the box. A query
//! scans the cells it covers, with all that lie inside them, and looks up their ancestors. Because every entry
//! carries its box, candidates are filtered without reading the entity; and because only the cell that holds the
//! lower left corner of "entry and query" reports an entry, none comes twice.
//!
//! Source: I. Gargantini, "An effective way to represent quadtrees" (1982); the reference point is from J.-P.
//! Dittrich and B. Seeger, "Data redundancy and duplicate detection in spatial join processing" (2000).

use model::BoundingBox;

/// The deepest level; its cells are 0.0000215 degrees (2.4 m on the equator).
const LEVEL_MAX: u32 = 24;
/// The extent of the world in units of 1e-7 degrees; the grid is square, so latitudes use its middle half.
const WORLD: u64 = 3_600_000_000;
/// How many levels below its own a query is split, to scan less around it.
const QUERY_LEVELS_FINER: u32 = 2;

/// A box in units of 1e-7 degrees, rounded outwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BoxE7 {
    west: i32,
    south: i32,
    east: i32,
    north: i32,
}

/// One entry of a spatial index as stored: which cell, and the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell(pub u64);

impl From<BoundingBox> for BoxE7 {
    fn from(b: BoundingBox) -> Self {
        // Everything is clamped to the world, so the numbers fit into 32 bits; NaN becomes 0.
        let scaled = |degrees: f64| (degrees * 1e7).clamp(-1.8e9, 1.8e9);
        let (floor, ceil) = (|d: f64| scaled(d).floor() as i32, |d: f64| scaled(d).ceil() as i32);
        Self { west: floor(b.west), south: floor(b.south), east: ceil(b.east), north: ceil(b.north) }
    }
}

impl BoxE7 {
    /// The box as an index value keeps it.
    pub fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        for (slot, number) in bytes.chunks_exact_mut(4).zip([self.west, self.south, self.east, self.north]) {
            slot.copy_from_slice(&number.to_be_bytes());
        }
        bytes
    }

    /// Reads what [`BoxE7::to_bytes`] wrote, from the start of `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let number = |at: usize| bytes.get(at..)?.first_chunk().map(|b| i32::from_be_bytes(*b));
        Some(Self { west: number(0)?, south: number(4)?, east: number(8)?, north: number(12)? })
    }

    /// Whether the two share a point.
    pub fn intersects(&self, other: &Self) -> bool {
        self.west <= other.east && other.west <= self.east && self.south <= other.north && other.south <= self.north
    }

    /// The deepest level whose cells are at least as large as the box.
    fn level(&self) -> u32 {
        let size = from_origin(self.east).saturating_sub(from_origin(self.west));
        let size = size.max(from_origin(self.north).saturating_sub(from_origin(self.south)));
        (0..=LEVEL_MAX).rev().find(|level| size << level <= WORLD).unwrap_or(0)
    }

    /// The cells of one level that the box touches.
    fn cells(&self, level: u32) -> impl Iterator<Item = Cell> {
        let (x0, x1) = (index(self.west, level), index(self.east, level));
        let (y0, y1) = (index(self.south, level), index(self.north, level));
        (y0..=y1).flat_map(move |y| (x0..=x1).map(move |x| Cell::at(x, y, level)))
    }

    /// The one to four cells that the box is filed under.
    pub fn filed_under(&self) -> impl Iterator<Item = Cell> {
        self.cells(self.level())
    }
}

/// What a query reads.
#[derive(Debug)]
pub(crate) struct Search {
    query: BoxE7,
    level: u32,
    /// Ranges of cell numbers `[from, to)`; `None` is up to the end.
    pub ranges: Vec<(u64, Option<u64>)>,
    /// Single cells, larger than the query's.
    pub ancestors: Vec<Cell>,
}

impl Search {
    /// Plans a query.
    pub fn new(bbox: BoundingBox) -> Self {
        let query = BoxE7::from(bbox);
        let level = (query.level() + QUERY_LEVELS_FINER).min(LEVEL_MAX);
        let mut cells: Vec<Cell> = query.cells(level).collect();
        cells.sort_unstable_by_key(|cell| cell.0);
        let mut ranges: Vec<(u64, Option<u64>)> = vec![];
        for cell in &cells {
            match ranges.last_mut() {
                Some((_, end)) if *end == Some(cell.start()) => *end = cell.end(),
                _ => ranges.push((cell.0, cell.end())),
            }
        }
        let mut ancestors: Vec<Cell> =
            cells.iter().flat_map(|cell| (0..level).map(|upper| cell.ancestor(upper))).collect();
        ancestors.sort_unstable_by_key(|cell| cell.0);
        ancestors.dedup();
        Self { query, level, ranges, ancestors }
    }

    /// Whether an entry found in a range is to be reported: it meets the query, it is not an ancestor (those are
    /// looked up by themselves), and this is the one cell that reports it.
    pub fn reports_from_range(&self, cell: Cell, entry: &BoxE7) -> bool {
        cell.level() >= self.level && self.reports(cell, entry)
    }

    /// Whether an entry found in an ancestor is to be reported.
    pub fn reports(&self, cell: Cell, entry: &BoxE7) -> bool {
        let level = cell.level();
        let (x, y) = (entry.west.max(self.query.west), entry.south.max(self.query.south));
        entry.intersects(&self.query) && Cell::at(index(x, level), index(y, level), level) == cell
    }
}

impl Cell {
    /// The cell of a level at a column and row: their bits interleaved, aligned to the top, and the level at the
    /// bottom. So the cells inside a cell follow it directly.
    fn at(x: u64, y: u64, level: u32) -> Self {
        let quadkey = (spread(y) << 1) | spread(x);
        Self(quadkey.checked_shl(64 - 2 * level).unwrap_or(0) | u64::from(level))
    }

    fn level(self) -> u32 {
        (self.0 & 0xFF) as u32
    }

    /// The number without the level.
    fn start(self) -> u64 {
        self.0 & !0xFFFF
    }

    /// The first number after all cells inside this one; `None` when it is the last.
    fn end(self) -> Option<u64> {
        match 64 - 2 * self.level() {
            64 => None,
            shift => self.start().checked_add(1 << shift),
        }
    }

    fn ancestor(self, level: u32) -> Self {
        let kept = if level == 0 { 0 } else { u64::MAX << (64 - 2 * level) };
        Self((self.0 & kept) | u64::from(level))
    }
}

fn from_origin(coordinate: i32) -> u64 {
    (i64::from(coordinate) + 1_800_000_000).clamp(0, 3_600_000_000).unsigned_abs()
}

/// The column or row of a coordinate on a level.
fn index(coordinate: i32, level: u32) -> u64 {
    ((from_origin(coordinate) << level) / WORLD).min((1 << level) - 1)
}

/// Puts a zero before each of the lowest 24 bits.
fn spread(number: u64) -> u64 {
    let mut n = number & 0xFF_FFFF;
    n = (n | (n << 16)) & 0x0000_FFFF_0000_FFFF;
    n = (n | (n << 8)) & 0x00FF_00FF_00FF_00FF;
    n = (n | (n << 4)) & 0x0F0F_0F0F_0F0F_0F0F;
    n = (n | (n << 2)) & 0x3333_3333_3333_3333;
    (n | (n << 1)) & 0x5555_5555_5555_5555
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How often a query reports an entry.
    fn reported(entry: BoundingBox, query: BoundingBox) -> usize {
        let (stored, search) = (BoxE7::from(entry), Search::new(query));
        let cells: Vec<Cell> = stored.filed_under().collect();
        assert!((1..=4).contains(&cells.len()), "{cells:?}");
        let in_range = |cell: &Cell| {
            search.ranges.iter().any(|(from, to)| cell.0 >= *from && to.is_none_or(|to| cell.0 < to))
                && search.reports_from_range(*cell, &stored)
        };
        let in_ancestor = |cell: &Cell| search.ancestors.contains(cell) && search.reports(*cell, &stored);
        cells.iter().filter(|cell| in_range(cell)).count() + cells.iter().filter(|cell| in_ancestor(cell)).count()
    }

    fn boxes() -> impl Strategy<Value = BoundingBox> {
        let size = prop_oneof![Just(0.0), 0.0..1e-6, 0.0..0.01, 0.0..5.0, 0.0..360.0];
        let edge = prop_oneof![Just(-180.0), Just(0.0), Just(4.5), Just(180.0), -180.0..180.0];
        (edge.clone(), edge, size.clone(), size).prop_map(|(x, y, w, h): (f64, f64, f64, f64)| {
            let y = y / 2.0;
            BoundingBox { west: x, south: y, east: (x + w).min(180.0), north: (y + h).min(90.0) }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_box_is_reported_once_when_it_meets_the_query_and_not_otherwise(entry in boxes(), query in boxes()) {
            let meets = BoxE7::from(entry).intersects(&BoxE7::from(query));
            prop_assert_eq!(reported(entry, query), usize::from(meets));
        }
    }

    #[test]
    fn a_small_query_reads_few_ranges() {
        let rotterdam = BoundingBox { west: 4.46, south: 51.91, east: 4.50, north: 51.93 };
        let search = Search::new(rotterdam);
        assert!(search.ranges.len() <= 12, "{}", search.ranges.len());
        assert!(search.ancestors.len() <= 60, "{}", search.ancestors.len());
    }
}
