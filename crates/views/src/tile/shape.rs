//! Geometry of a tile: degrees become whole units of the tile, clipped to it and simplified for its size.
//!
//! Areas are clipped with Sutherland and Hodgman (Communications of the ACM 17(1), 1974), lines with Liang and Barsky
//! (ACM Transactions on Graphics 3(1), 1984), and both are simplified with Douglas and Peucker (Cartographica 10(2),
//! 1973). A concave area that is cut may get edges along the border of the buffer; they lie outside what is drawn.

use geo::Simplify;
use geo_types as gt;

use super::grid::{BUFFER, EXTENT, TileId};

/// A position in units of a tile.
pub type Cell = (i32, i32);

/// A geometry ready to be encoded.
#[derive(Clone, Debug, PartialEq)]
pub enum TileShape {
    /// One or more points.
    Points(Vec<Cell>),
    /// One or more lines of at least two positions.
    Lines(Vec<Vec<Cell>>),
    /// Areas, each an outer ring and its holes; rings are not closed, outer ones run clockwise on the screen.
    Areas(Vec<Vec<Vec<Cell>>>),
}

impl TileShape {
    /// The area in square units; 0 for points and lines.
    #[must_use]
    pub fn area(&self) -> f64 {
        match self {
            Self::Areas(areas) => areas.iter().flatten().map(|ring| doubled_area(ring) as f64 / 2.0).sum(),
            _ => 0.0,
        }
    }
}

/// A geometry in a tile; `None` when nothing of it is left. `tolerance` is in units of the tile.
#[must_use]
pub fn shape_in(tile: TileId, geometry: &gt::Geometry<f64>, tolerance: f64) -> Option<TileShape> {
    let project = |c: &gt::Coord<f64>| {
        let (x, y) = tile.project(c.x, c.y);
        gt::Coord { x, y }
    };
    match geometry {
        gt::Geometry::Point(p) => points(std::iter::once(project(&p.0))),
        gt::Geometry::MultiPoint(all) => points(all.iter().map(|p| project(&p.0))),
        gt::Geometry::LineString(line) => lines(std::iter::once(line), &project, tolerance),
        gt::Geometry::MultiLineString(all) => lines(all.iter(), &project, tolerance),
        gt::Geometry::Polygon(polygon) => areas(std::iter::once(polygon), &project, tolerance),
        gt::Geometry::MultiPolygon(all) => areas(all.iter(), &project, tolerance),
        // A mixed collection has no single kind in a vector tile: its first part that can be drawn stands for it.
        gt::Geometry::GeometryCollection(all) => all.iter().find_map(|g| shape_in(tile, g, tolerance)),
        _ => None,
    }
}

fn points(positions: impl Iterator<Item = gt::Coord<f64>>) -> Option<TileShape> {
    // A point belongs to exactly one tile, so that no dot is drawn twice.
    let inside = |c: &gt::Coord<f64>| (0.0..EXTENT).contains(&c.x) && (0.0..EXTENT).contains(&c.y);
    let cells: Vec<Cell> = positions.filter(inside).map(|c| (floor(c.x), floor(c.y))).collect();
    (!cells.is_empty()).then_some(TileShape::Points(cells))
}

fn lines<'a>(
    all: impl Iterator<Item = &'a gt::LineString<f64>>,
    project: &impl Fn(&gt::Coord<f64>) -> gt::Coord<f64>,
    tolerance: f64,
) -> Option<TileShape> {
    let mut parts = vec![];
    for line in all {
        let projected: gt::LineString<f64> = line.0.iter().map(project).collect();
        let simple = projected.simplify(tolerance);
        for part in clip_line(&simple.0) {
            let cells = whole(&part);
            if cells.len() > 1 {
                parts.push(cells);
            }
        }
    }
    (!parts.is_empty()).then_some(TileShape::Lines(parts))
}

fn areas<'a>(
    all: impl Iterator<Item = &'a gt::Polygon<f64>>,
    project: &impl Fn(&gt::Coord<f64>) -> gt::Coord<f64>,
    tolerance: f64,
) -> Option<TileShape> {
    let ring = |line: &gt::LineString<f64>, outer: bool| -> Option<Vec<Cell>> {
        let projected: gt::LineString<f64> = line.0.iter().map(project).collect();
        let simple = projected.simplify(tolerance);
        let mut cells = whole(&clip_ring(&simple.0));
        if cells.len() > 1 && cells.first() == cells.last() {
            cells.pop();
        }
        let doubled = doubled_area(&cells);
        if cells.len() < 3 || doubled == 0 {
            return None;
        }
        if (doubled > 0) != outer {
            cells.reverse();
        }
        Some(cells)
    };
    let mut parts = vec![];
    for polygon in all {
        let Some(outer) = ring(polygon.exterior(), true) else { continue };
        let holes = polygon.interiors().iter().filter_map(|hole| ring(hole, false));
        parts.push(std::iter::once(outer).chain(holes).collect());
    }
    (!parts.is_empty()).then_some(TileShape::Areas(parts))
}

#[expect(clippy::cast_possible_truncation, reason = "clipped to the tile and its buffer, far inside 32 bits")]
fn floor(value: f64) -> i32 {
    value.floor() as i32
}

/// Whole units, without repeated positions.
#[expect(clippy::cast_possible_truncation, reason = "clipped to the tile and its buffer, far inside 32 bits")]
fn whole(positions: &[gt::Coord<f64>]) -> Vec<Cell> {
    let mut cells: Vec<Cell> = positions.iter().map(|c| (c.x.round() as i32, c.y.round() as i32)).collect();
    cells.dedup();
    cells
}

/// Twice the area of a ring: positive when it runs clockwise on a screen whose y points down.
fn doubled_area(ring: &[Cell]) -> i64 {
    let next = ring.iter().cycle().skip(1);
    let cross = |(a, b): (&Cell, &Cell)| i64::from(a.0) * i64::from(b.1) - i64::from(b.0) * i64::from(a.1);
    ring.iter().zip(next).map(cross).sum()
}

/// The four sides of the buffered tile: which coordinate is bounded, where, and on which side lies the inside.
const SIDES: [(bool, f64, bool); 4] =
    [(true, -BUFFER, true), (true, EXTENT + BUFFER, false), (false, -BUFFER, true), (false, EXTENT + BUFFER, false)];

fn clip_ring(ring: &[gt::Coord<f64>]) -> Vec<gt::Coord<f64>> {
    let mut kept = ring.to_vec();
    for (along_x, limit, above) in SIDES {
        let of = |c: &gt::Coord<f64>| if along_x { c.x } else { c.y };
        let inside = |c: &gt::Coord<f64>| if above { of(c) >= limit } else { of(c) <= limit };
        if kept.iter().all(inside) {
            continue;
        }
        let mut next = Vec::with_capacity(kept.len() + 4);
        let following = kept.iter().cycle().skip(1);
        for (a, b) in kept.iter().zip(following) {
            if inside(a) {
                next.push(*a);
            }
            if inside(a) != inside(b) {
                let t = (limit - of(a)) / (of(b) - of(a));
                next.push(gt::Coord { x: a.x + t * (b.x - a.x), y: a.y + t * (b.y - a.y) });
            }
        }
        kept = next;
    }
    kept
}

fn clip_line(line: &[gt::Coord<f64>]) -> Vec<Vec<gt::Coord<f64>>> {
    let mut parts: Vec<Vec<gt::Coord<f64>>> = vec![];
    let mut open = false;
    for pair in line.windows(2) {
        let [a, b] = pair else { continue };
        let Some((t0, t1)) = clip_segment(*a, *b) else {
            open = false;
            continue;
        };
        let at = |t: f64| gt::Coord { x: a.x + t * (b.x - a.x), y: a.y + t * (b.y - a.y) };
        match parts.last_mut().filter(|_| open && t0 == 0.0) {
            Some(part) => part.push(at(t1)),
            None => parts.push(vec![at(t0), at(t1)]),
        }
        open = t1 == 1.0;
    }
    parts
}

/// The part of a segment inside the buffered tile, as fractions of its length.
fn clip_segment(a: gt::Coord<f64>, b: gt::Coord<f64>) -> Option<(f64, f64)> {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let (low, high) = (-BUFFER, EXTENT + BUFFER);
    let (mut t0, mut t1) = (0.0_f64, 1.0_f64);
    for (p, q) in [(-dx, a.x - low), (dx, high - a.x), (-dy, a.y - low), (dy, high - a.y)] {
        if p == 0.0 {
            if q < 0.0 {
                return None;
            }
            continue;
        }
        let t = q / p;
        if p < 0.0 { t0 = t0.max(t) } else { t1 = t1.min(t) }
    }
    (t0 < t1).then_some((t0, t1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tile() -> TileId {
        TileId::new(14, 8395, 5417).unwrap()
    }

    /// A square around the centre of the tile, with half the given side in tiles, wound the wrong way round.
    fn square(half: f64) -> gt::Geometry<f64> {
        let b = tile().bounds(0.0);
        let (cx, cy) = (f64::midpoint(b.west, b.east), f64::midpoint(b.south, b.north));
        let (dx, dy) = ((b.east - b.west) * half, (b.north - b.south) * half);
        let ring =
            vec![(cx - dx, cy - dy), (cx + dx, cy - dy), (cx + dx, cy + dy), (cx - dx, cy + dy), (cx - dx, cy - dy)];
        gt::Polygon::new(ring.into(), vec![]).into()
    }

    #[test]
    fn an_area_larger_than_the_tile_becomes_the_tile_with_its_buffer() {
        let shape = shape_in(tile(), &square(3.0), 1.0).unwrap();
        let side = EXTENT + 2.0 * BUFFER;
        assert!((shape.area() - side * side).abs() < 1.0, "{shape:?}");
    }

    #[test]
    fn outer_rings_run_clockwise_on_the_screen_whatever_the_input_does() {
        let gt::Geometry::Polygon(polygon) = square(0.25) else { unreachable!() };
        let mut turned = polygon.clone();
        turned.exterior_mut(|ring| ring.0.reverse());
        for p in [polygon, turned] {
            let TileShape::Areas(areas) = shape_in(tile(), &p.into(), 1.0).unwrap() else { unreachable!() };
            assert!(doubled_area(&areas[0][0]) > 0);
        }
    }

    #[test]
    fn a_line_that_leaves_and_comes_back_becomes_two() {
        let b = tile().bounds(0.0);
        let (w, h) = (b.east - b.west, b.north - b.south);
        let at = |x: f64, y: f64| gt::coord! { x: b.west + x * w, y: b.north - y * h };
        let line = gt::LineString::new(vec![at(0.5, 0.2), at(2.0, 0.2), at(2.0, 0.8), at(0.5, 0.8)]);
        let TileShape::Lines(parts) = shape_in(tile(), &line.into(), 0.0).unwrap() else { unreachable!() };
        assert_eq!(parts.len(), 2, "{parts:?}");
        assert!(parts.iter().flatten().all(|c| c.0 <= 4096 + 80));
    }

    #[test]
    fn a_point_belongs_to_one_tile_only() {
        let b = tile().bounds(0.0);
        let edge: gt::Geometry<f64> = gt::Point::new(b.east, f64::midpoint(b.north, b.south)).into();
        let right = TileId::new(14, 8396, 5417).unwrap();
        let count = [tile(), right].iter().filter(|t| shape_in(**t, &edge, 1.0).is_some()).count();
        assert_eq!(count, 1);
    }

    #[test]
    fn what_lies_elsewhere_or_is_smaller_than_a_unit_gives_nothing() {
        let far: gt::Geometry<f64> = gt::LineString::from(vec![(5.0, 52.5), (5.1, 52.6)]).into();
        assert_eq!(shape_in(tile(), &far, 1.0), None);
        assert_eq!(shape_in(tile(), &square(0.000_01), 1.0), None);
    }
}
