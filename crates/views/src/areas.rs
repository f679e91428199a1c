//! Areas with what lies inside them. A grid over their common box leads from a point to the few areas near it, so the
//! work grows with the things and not with things times areas.

use geo::Contains;
use geo_types as gt;
use model::{BoundingBox, EntityId};

/// The most columns and rows of the grid.
const SIDE_MAX: usize = 256;
/// An area that touches more cells than this stands in none of them and is looked at for every point.
const CELLS_MAX: usize = 1_024;

/// One area with what has been found inside it.
pub(crate) struct Area {
    pub id: EntityId,
    pub shape: gt::Geometry<f64>,
    pub frame: gt::Rect<f64>,
    pub km2: Option<f64>,
    pub count: u64,
    pub sum: f64,
    pub values: u64,
}

impl Area {
    /// An area in which nothing has been found yet.
    pub fn new(id: EntityId, shape: gt::Geometry<f64>, frame: gt::Rect<f64>, km2: Option<f64>) -> Self {
        Self { id, shape, frame, km2, count: 0, sum: 0.0, values: 0 }
    }

    fn holds(&self, point: &gt::Point<f64>) -> bool {
        let (min, max) = (self.frame.min(), self.frame.max());
        let framed = (min.x..=max.x).contains(&point.x()) && (min.y..=max.y).contains(&point.y());
        framed && self.shape.contains(point)
    }
}

/// The areas of a layer.
pub(crate) struct Areas {
    all: Vec<Area>,
    /// The box around all; none without areas.
    frame: Option<gt::Rect<f64>>,
    /// Columns, and rows, of the grid.
    side: usize,
    /// For each cell, the areas whose box touches it, in their own order.
    cells: Vec<Vec<usize>>,
    /// The areas that touch too many cells.
    wide: Vec<usize>,
}

impl Areas {
    /// Areas that can be asked what lies in which.
    pub fn new(all: Vec<Area>) -> Self {
        let around = |a: gt::Rect<f64>, b: gt::Rect<f64>| {
            let low = gt::coord! { x: a.min().x.min(b.min().x), y: a.min().y.min(b.min().y) };
            let high = gt::coord! { x: a.max().x.max(b.max().x), y: a.max().y.max(b.max().y) };
            gt::Rect::new(low, high)
        };
        let frame = all.iter().map(|area| area.frame).reduce(around);
        // About four cells for each area.
        let side = (1..SIDE_MAX).find(|side| side * side >= 4 * all.len()).unwrap_or(SIDE_MAX);
        let cells = vec![vec![]; side * side];
        let mut areas = Self { all, frame, side, cells, wide: vec![] };
        for place in 0..areas.all.len() {
            let Some((min, max)) = areas.all.get(place).map(|area| (area.frame.min(), area.frame.max())) else { break };
            let (Some((west, south)), Some((east, north))) = (areas.cell(min.x, min.y), areas.cell(max.x, max.y))
            else {
                continue;
            };
            if (1 + east - west) * (1 + north - south) > CELLS_MAX {
                areas.wide.push(place);
                continue;
            }
            for row in south..=north {
                for column in west..=east {
                    if let Some(cell) = areas.cells.get_mut(row * side + column) {
                        cell.push(place);
                    }
                }
            }
        }
        areas
    }

    /// Column and row of a point of the common box.
    fn cell(&self, x: f64, y: f64) -> Option<(usize, usize)> {
        let frame = self.frame?;
        let step = |at: f64, low: f64, length: f64| {
            let part = if length > 0.0 { (at - low) / length } else { 0.0 };
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to SIDE_MAX")]
            let step = (part * self.side as f64).clamp(0.0, (self.side - 1) as f64) as usize;
            step
        };
        let inside = (frame.min().x..=frame.max().x).contains(&x) && (frame.min().y..=frame.max().y).contains(&y);
        inside.then(|| (step(x, frame.min().x, frame.width()), step(y, frame.min().y, frame.height())))
    }

    /// The areas that may hold a point, besides those that are wide.
    fn near(&self, point: &gt::Point<f64>) -> &[usize] {
        let cell = self.cell(point.x(), point.y()).and_then(|(column, row)| self.cells.get(row * self.side + column));
        cell.map_or(&[], Vec::as_slice)
    }

    /// Counts a thing in the first area that holds the middle of its box, with a value where it has one.
    pub fn add(&mut self, bbox: &BoundingBox, value: Option<f64>) {
        let middle = gt::Point::new(f64::midpoint(bbox.west, bbox.east), f64::midpoint(bbox.south, bbox.north));
        let holds = |place: &&usize| self.all.get(**place).is_some_and(|area| area.holds(&middle));
        let first = |places: &[usize]| places.iter().find(holds).copied();
        let found = [first(self.near(&middle)), first(&self.wide)].into_iter().flatten().min();
        if let Some(area) = found.and_then(|place| self.all.get_mut(place)) {
            area.count += 1;
            if let Some(value) = value {
                area.sum += value;
                area.values += 1;
            }
        }
    }

    /// Every area with what was found in it.
    pub fn iter(&self) -> impl Iterator<Item = &Area> {
        self.all.iter()
    }
}

#[cfg(test)]
mod tests {
    use geo::BoundingRect;

    use super::*;

    /// A city of triangles and squares, some of them inside others.
    fn city(side: i32) -> Areas {
        let mut all = vec![];
        for (x, y) in (0..side).flat_map(|x| (0..side).map(move |y| (f64::from(x), f64::from(y)))) {
            let square = gt::Rect::new((x, y), (x + 1.0, y + 1.0)).to_polygon();
            let triangle = gt::Triangle::from([(x, y), (x + 1.5, y), (x, y + 1.5)]).to_polygon();
            for shape in [gt::Geometry::Polygon(triangle), gt::Geometry::Polygon(square)] {
                let id = EntityId::parse(&format!("urn:area:{}", all.len())).unwrap();
                let frame = shape.bounding_rect().unwrap();
                all.push(Area::new(id, shape, frame, None));
            }
        }
        // Around all of the others, and after them.
        let shape = gt::Geometry::Polygon(
            gt::Rect::new((-2.0, -2.0), (f64::from(side) + 2.0, f64::from(side) + 2.0)).to_polygon(),
        );
        let frame = shape.bounding_rect().unwrap();
        all.push(Area::new(EntityId::parse("urn:area:city").unwrap(), shape, frame, None));
        Areas::new(all)
    }

    fn points() -> impl Iterator<Item = gt::Point<f64>> {
        let step = |i: i32| f64::from(i) * 0.37 - 1.0;
        (0..60).flat_map(move |x| (0..60).map(move |y| gt::Point::new(step(x), step(y))))
    }

    #[test]
    fn a_point_is_counted_in_the_area_that_a_look_at_all_of_them_finds() {
        let mut areas = city(20);
        let mut expected = vec![0; areas.all.len()];
        for point in points() {
            if let Some(place) = areas.all.iter().position(|area| area.holds(&point)) {
                expected[place] += 1;
            }
            let (x, y) = (point.x(), point.y());
            areas.add(&BoundingBox { west: x, south: y, east: x, north: y }, None);
        }
        assert!(expected.iter().sum::<u64>() > 1_000);
        assert_eq!(areas.iter().map(|area| area.count).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_point_is_held_against_the_few_areas_near_it_however_many_there_are() {
        for side in [5, 20, 60] {
            let areas = city(side);
            let most = points().map(|point| areas.near(&point).len()).max().unwrap();
            assert!((1..=32).contains(&most), "{most} of {}", areas.all.len());
        }
    }

    #[test]
    fn without_areas_nothing_is_found() {
        let mut areas = Areas::new(vec![]);
        areas.add(&BoundingBox { west: 4.0, south: 52.0, east: 4.0, north: 52.0 }, Some(1.0));
        assert_eq!(areas.iter().count(), 0);
    }
}
