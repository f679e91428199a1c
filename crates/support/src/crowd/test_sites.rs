//! Small sites for tests.

use super::{Area, Gate, Side, Site, Undercount};

/// An area of 100 m2 for 200 persons.
pub fn area(id: &str) -> Area {
    Area {
        id: id.into(),
        surface_m2: 100.0,
        capacity_persons: 200.0,
        used_as: super::AreaUse::Walkway,
        parent: None,
        outline: None,
        walk_length_m: None,
        walk_width_m: None,
        stay_min: None,
        thresholds: super::Thresholds::default(),
        diagram: super::FundamentalDiagram::default(),
        closed: None,
    }
}

/// A gate of 3 m with one counter of its own name.
pub fn gate(id: &str, from: Side, to: Side) -> Gate {
    Gate {
        id: id.into(),
        width_m: 3.0,
        from,
        to,
        counters: vec![id.into()],
        capacity_ped_m_min: None,
        undercount: Undercount::default(),
        persons_each: None,
    }
}

/// One square with four gates from outside.
pub fn square() -> Site {
    let inside = || Side::Area("square".into());
    let gates = ["north", "east", "south", "west"].map(|id| gate(id, Side::Outside, inside()));
    Site { areas: vec![area("square")], gates: gates.into(), links: vec![] }
}

/// Outside, then `a`, then `b`, then outside: gates `in`, `between` and `out`.
pub fn row() -> Site {
    let (a, b) = (|| Side::Area("a".into()), || Side::Area("b".into()));
    Site {
        areas: vec![area("a"), area("b")],
        gates: vec![gate("in", Side::Outside, a()), gate("between", a(), b()), gate("out", b(), Side::Outside)],
        links: vec![],
    }
}
