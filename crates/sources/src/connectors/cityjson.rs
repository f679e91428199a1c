//! `cityjson`: buildings with their roofs, walls and ground, from CityJSON or CityJSONSeq 2.0.
//!
//! The field `boundaries3d` holds the surfaces of a building in metres around an origin on the ground:
//! `{"origin": [longitude, latitude], "surfaces": [{"kind": "roof" | "wall" | "ground", "rings": [[[e, n, u],
//! …], …]}]}`, with east, north and up rounded to centimetres, the first ring the outline and the others holes. Rings
//! are not closed and keep the order of the source (outside is counter-clockwise).

use std::path::Path;

use futures::future::BoxFuture;
use geo_types::{Coord, Geometry as Shape, LineString, MultiPolygon, Polygon};
use model::{Geometry, Problem};
use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Connector, needs_file};
use crate::{
    config::{Limits, SourceConfig},
    delivery::{Ended, Job, Step, read_file},
    ground::{Grid, Local},
    input::{Lines, open, read_all, unreadable},
    record::Record,
};

/// Settings of the `cityjson` connector.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CityJsonSettings {
    /// The types of city objects that become records.
    pub types: Vec<String>,
    /// A PROJ string, for a coordinate system other than EPSG:28992 (RD New) and EPSG:7415 (RD New with NAP).
    pub proj: Option<String>,
}

impl Default for CityJsonSettings {
    fn default() -> Self {
        Self { types: vec!["Building".to_owned()], proj: None }
    }
}

/// The connector.
pub struct CityJson;

impl Connector for CityJson {
    fn name(&self) -> &'static str {
        "cityjson"
    }

    fn about(&self) -> &'static str {
        "City objects of a CityJSON 2.0 document, or of a CityJSONSeq file with one feature on each line, `.gz` \
         unpacked. Attributes are fields; `id`, `lod` and `boundaries3d` (roof, wall and ground surfaces in metres) are \
         added, and the ground surface is the place."
    }

    fn settings(&self) -> Schema {
        schema_for!(CityJsonSettings)
    }

    fn is_live(&self, _config: &SourceConfig) -> bool {
        false
    }

    fn check(&self, config: &SourceConfig) -> Result<(), Problem> {
        if let Some(proj) = config.cityjson.as_ref().and_then(|c| c.proj.as_deref()) {
            Grid::from_proj(proj)?;
        }
        needs_file(config)
    }

    fn run(&self, job: Job) -> BoxFuture<'static, Result<Ended, Problem>> {
        Box::pin(read_file(job, |job, take| {
            let settings = job.config.cityjson.clone().unwrap_or_default();
            let file = job.config.file.as_deref().unwrap_or_default();
            each_object(&job.folder, file, &settings, &job.config.limits, &mut |r| take(Step::Record(r)))
        }))
    }
}

/// Calls `take` with each city object of a file.
fn each_object<E: From<Problem>>(
    folder: &Path,
    file: &str,
    settings: &CityJsonSettings,
    limits: &Limits,
    take: &mut dyn FnMut(Result<Record, Problem>) -> Result<(), E>,
) -> Result<(), E> {
    let plain = file.strip_suffix(".gz").unwrap_or(file);
    if !(plain.ends_with(".jsonl") || plain.ends_with(".ndjson")) {
        let bytes = read_all(folder, file, limits)?;
        if bytes.trim_ascii().is_empty() {
            return Ok(());
        }
        let document = parse(&bytes).map_err(|p| Problem { thing: file.to_owned(), ..p })?;
        let frame = Frame::new(&document, settings)?;
        for (number, record) in (1..).zip(frame.records(&document, &settings.types)) {
            take(record.map(|r| Record { line: number, ..r }).map_err(|p| p.at_line(number)))?;
        }
        return Ok(());
    }
    let (reader, mark) = open(folder, file, limits)?;
    let mut lines = Lines::new(reader, mark, limits);
    let mut frame: Option<Frame> = None;
    while let Some((line, bytes)) = lines.next().map_err(|e| unreadable(file, &e))? {
        let parsed = match bytes {
            Ok([]) => continue,
            other => other.and_then(parse).map_err(|p| p.at_line(line)),
        };
        match (&frame, parsed) {
            (None, Ok(header)) => frame = Some(Frame::new(&header, settings)?),
            (None, Err(problem)) => return Err(problem.into()),
            (Some(_), Err(problem)) => take(Err(problem))?,
            (Some(frame), Ok(feature)) => {
                for record in frame.records(&feature, &settings.types) {
                    take(record.map(|r| Record { line, ..r }).map_err(|p| p.at_line(line)))?;
                }
            }
        }
    }
    Ok(())
}

fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    let remedy = "give CityJSON 2.0, as one document or as one feature on each line";
    serde_json::from_slice(bytes).map_err(|e| Problem::new("cityjson", e.to_string(), remedy))
}

/// What all features of a file share: the coordinate system and the transform of vertices.
struct Frame {
    grid: Grid,
    scale: [f64; 3],
    translate: [f64; 3],
}

impl Frame {
    fn new(header: &Value, settings: &CityJsonSettings) -> Result<Self, Problem> {
        if header.get("type").and_then(Value::as_str) != Some("CityJSON") {
            let remedy = "let the file, or its first line, be a CityJSON object";
            return Err(Problem::new("cityjson", "it does not start with a CityJSON object", remedy));
        }
        let grid = match &settings.proj {
            Some(proj) => Grid::from_proj(proj)?,
            None => {
                let system = header.pointer("/metadata/referenceSystem").and_then(Value::as_str).unwrap_or("none");
                let code = system.rsplit(['/', ':']).next().unwrap_or_default();
                if !["28992", "7415"].contains(&code) {
                    let remedy = "set cityjson.proj to the PROJ string of this coordinate system";
                    let detail = format!("its coordinate system is {system}");
                    return Err(Problem::new("referenceSystem", detail, remedy));
                }
                Grid::rd_new()?
            }
        };
        let three = |path: &str, default: f64| {
            let numbers = header.pointer(path).and_then(Value::as_array);
            std::array::from_fn(|i| numbers.and_then(|n| n.get(i)?.as_f64()).unwrap_or(default))
        };
        Ok(Self { grid, scale: three("/transform/scale", 1.0), translate: three("/transform/translate", 0.0) })
    }

    /// One record for each object of the wanted types.
    fn records<'a>(
        &'a self,
        feature: &'a Value,
        types: &'a [String],
    ) -> impl Iterator<Item = Result<Record, Problem>> + 'a {
        let objects = feature.get("CityObjects").and_then(Value::as_object);
        let vertices = feature.get("vertices").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        objects.into_iter().flat_map(move |objects| {
            let wanted = move |object: &Value| {
                object.get("type").and_then(Value::as_str).is_some_and(|t| types.iter().any(|w| w == t))
            };
            objects
                .iter()
                .filter(move |(_, object)| wanted(object))
                .map(move |(id, object)| self.record(id, object, objects, vertices))
        })
    }

    fn record(
        &self,
        id: &str,
        object: &Value,
        objects: &Map<String, Value>,
        vertices: &[Value],
    ) -> Result<Record, Problem> {
        let mut fields = object.get("attributes").and_then(Value::as_object).cloned().unwrap_or_default();
        fields.insert("id".to_owned(), Value::from(id));
        let children = object.get("children").and_then(Value::as_array).into_iter().flatten();
        let parts = children.filter_map(|c| objects.get(c.as_str()?));
        let mut surfaces = vec![];
        for part in std::iter::once(object).chain(parts) {
            if let Some(geometry) = most_detailed(part) {
                if let Some(lod) = geometry.get("lod") {
                    fields.insert("lod".to_owned(), lod.clone());
                }
                self.collect(geometry, vertices, &mut surfaces).map_err(|p| Problem { thing: id.to_owned(), ..p })?;
            }
        }
        let mut record = Record::new(0, fields);
        if let Some(local) = self.origin(&surfaces) {
            record.geometry = footprint(&surfaces);
            record.fields.insert("boundaries3d".to_owned(), boundaries(&surfaces, &local));
        }
        Ok(record)
    }

    /// The middle of the ground (or of everything), as the origin of local metres.
    fn origin(&self, surfaces: &[Surface]) -> Option<Local> {
        let grounds = || surfaces.iter().filter(|s| s.kind == Kind::Ground);
        let chosen: Vec<&Surface> =
            if grounds().next().is_some() { grounds().collect() } else { surfaces.iter().collect() };
        let mut points = chosen.iter().flat_map(|s| s.rings.iter().flatten());
        let first = points.next()?;
        let (mut west, mut east, mut south, mut north) = (first[0], first[0], first[1], first[1]);
        for p in points {
            (west, east) = (west.min(p[0]), east.max(p[0]));
            (south, north) = (south.min(p[1]), north.max(p[1]));
        }
        let round = |degrees: f64| (degrees * 1e7).round() / 1e7;
        Some(Local::new(round((west + east) / 2.0), round((south + north) / 2.0)))
    }

    /// Adds the surfaces of one geometry, in degrees and metres.
    fn collect(&self, geometry: &Value, vertices: &[Value], surfaces: &mut Vec<Surface>) -> Result<(), Problem> {
        let depth = match geometry.get("type").and_then(Value::as_str) {
            Some("MultiSurface" | "CompositeSurface") => 0,
            Some("Solid") => 1,
            Some("MultiSolid" | "CompositeSolid") => 2,
            other => {
                let detail = format!("a geometry of type {} has no surfaces", other.unwrap_or("none"));
                return Err(Problem::new("geometry", detail, "use MultiSurface or Solid"));
            }
        };
        let kinds: Vec<Option<Kind>> = geometry
            .pointer("/semantics/surfaces")
            .and_then(Value::as_array)
            .map(|list| list.iter().map(|s| Kind::named(s.get("type").and_then(Value::as_str))).collect())
            .unwrap_or_default();
        let boundaries = geometry.get("boundaries").unwrap_or(&Value::Null);
        let values = geometry.pointer("/semantics/values").unwrap_or(&Value::Null);
        self.nested(depth, boundaries, values, &mut |rings, value| {
            let rings = self.rings(rings, vertices)?;
            let stated = value.as_u64().and_then(|n| *kinds.get(usize::try_from(n).ok()?)?);
            let kind = stated.unwrap_or_else(|| Kind::by_slope(&rings));
            surfaces.push(Surface { kind, rings });
            Ok(())
        })
    }

    fn nested(
        &self,
        depth: u8,
        boundaries: &Value,
        values: &Value,
        take: &mut dyn FnMut(&Value, &Value) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        for (number, inner) in boundaries.as_array().into_iter().flatten().enumerate() {
            let value = values.get(number).unwrap_or(&Value::Null);
            if depth == 0 { take(inner, value)? } else { self.nested(depth - 1, inner, value, take)? }
        }
        Ok(())
    }

    fn rings(&self, rings: &Value, vertices: &[Value]) -> Result<Vec<Vec<[f64; 3]>>, Problem> {
        let refuse = |detail: &str| Problem::new("boundaries", detail, "check the file with cjval");
        let mut read = vec![];
        for ring in rings.as_array().ok_or_else(|| refuse("a surface is not a list of rings"))? {
            let mut points = vec![];
            for index in ring.as_array().ok_or_else(|| refuse("a ring is not a list"))? {
                let index = index.as_u64().and_then(|i| usize::try_from(i).ok());
                let vertex = index.and_then(|i| vertices.get(i)).and_then(Value::as_array);
                let vertex = vertex.ok_or_else(|| refuse("an index points at no vertex"))?;
                let [x, y, z] = [0, 1, 2].map(|i| vertex.get(i).and_then(Value::as_f64).unwrap_or(f64::NAN));
                let at = |i: usize, v: f64| v * self.scale[i] + self.translate[i];
                let (longitude, latitude) = self.grid.to_degrees(at(0, x), at(1, y))?;
                points.push([longitude, latitude, at(2, z)]);
            }
            if points.len() < 3 {
                return Err(refuse("a ring has fewer than three positions"));
            }
            read.push(points);
        }
        if read.is_empty() {
            return Err(refuse("a surface has no ring"));
        }
        Ok(read)
    }
}

/// The geometry with the highest level of detail.
fn most_detailed(object: &Value) -> Option<&Value> {
    let lod = |g: &Value| match g.get("lod") {
        Some(Value::String(text)) => text.parse().unwrap_or(0.0),
        Some(Value::Number(number)) => number.as_f64().unwrap_or(0.0),
        _ => 0.0_f64,
    };
    let list = object.get("geometry")?.as_array()?;
    list.iter().max_by(|a, b| lod(a).total_cmp(&lod(b)))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Roof,
    Wall,
    Ground,
}

impl Kind {
    fn named(name: Option<&str>) -> Option<Self> {
        match name? {
            "RoofSurface" | "OuterCeilingSurface" => Some(Self::Roof),
            "WallSurface" | "OuterFloorSurface" | "Window" | "Door" => Some(Self::Wall),
            "GroundSurface" => Some(Self::Ground),
            _ => None,
        }
    }

    /// From the slope of a surface whose kind is not stated (Newell's method for the normal).
    fn by_slope(rings: &[Vec<[f64; 3]>]) -> Self {
        let outline = rings.first().map(Vec::as_slice).unwrap_or_default();
        // Degrees to metres, near enough to tell a roof from a wall.
        let metres = |p: &[f64; 3]| [p[0] * 111_320.0 * p[1].to_radians().cos(), p[1] * 111_320.0, p[2]];
        let mut normal = [0.0_f64; 3];
        for (a, b) in outline.iter().zip(outline.iter().cycle().skip(1)) {
            let (a, b) = (metres(a), metres(b));
            normal[0] += (a[1] - b[1]) * (a[2] + b[2]);
            normal[1] += (a[2] - b[2]) * (a[0] + b[0]);
            normal[2] += (a[0] - b[0]) * (a[1] + b[1]);
        }
        let length = normal.iter().map(|n| n * n).sum::<f64>().sqrt();
        match normal[2] / length {
            up if up > 0.2 => Self::Roof,
            up if up < -0.2 => Self::Ground,
            _ => Self::Wall,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Roof => "roof",
            Self::Wall => "wall",
            Self::Ground => "ground",
        }
    }
}

/// One surface: rings of longitude, latitude and height.
struct Surface {
    kind: Kind,
    rings: Vec<Vec<[f64; 3]>>,
}

/// The ground as a polygon; `None` where there is none, or where it crosses itself.
fn footprint(surfaces: &[Surface]) -> Option<Geometry> {
    let line = |ring: &Vec<[f64; 3]>| {
        let round = |degrees: f64| (degrees * 1e7).round() / 1e7;
        LineString::new(ring.iter().map(|p| Coord { x: round(p[0]), y: round(p[1]) }).collect())
    };
    let polygon = |s: &Surface| {
        let mut rings = s.rings.iter().map(line);
        Some(Polygon::new(rings.next()?, rings.collect()))
    };
    let mut grounds: Vec<Polygon> = surfaces.iter().filter(|s| s.kind == Kind::Ground).filter_map(polygon).collect();
    let shape = match grounds.len() {
        0 => return None,
        1 => Shape::Polygon(grounds.pop()?),
        _ => Shape::MultiPolygon(MultiPolygon::new(grounds)),
    };
    Geometry::from_shape(shape).ok()
}

fn boundaries(surfaces: &[Surface], local: &Local) -> Value {
    let round = |metres: f64| Value::from((metres * 100.0).round() / 100.0);
    let ring = |points: &Vec<[f64; 3]>| -> Value {
        let positions = points.iter().map(|p| {
            let [east, north] = local.metres(p[0], p[1]);
            Value::from(vec![round(east), round(north), round(p[2])])
        });
        positions.collect()
    };
    let list: Vec<Value> = surfaces
        .iter()
        .map(|s| json!({ "kind": s.kind.word(), "rings": s.rings.iter().map(ring).collect::<Vec<_>>() }))
        .collect();
    json!({ "origin": [local.longitude, local.latitude], "surfaces": list })
}
