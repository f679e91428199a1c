//! Vector tiles of a small city: what is in them, and that none is served after a change has touched it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod common;

use common::{delete, put, store, view, views};
use model::Tenant;
use polder_views::{Tile, TileId, ViewError, Views};
use prost::Message;

/// The tile around the centre of the small city.
fn centre() -> TileId {
    TileId::new(14, 8395, 5417).unwrap()
}

/// The titles in a tile of a layer, sorted.
fn titles(views: &Views, layer: &str, tile: TileId) -> Vec<String> {
    let (snapshot, tenant) = (views.snapshot().unwrap(), Tenant::default());
    let made = views.tile(&view(&snapshot, &tenant, "12:12"), layer, tile).unwrap();
    let decoded = Tile::decode(made.bytes).unwrap();
    let mut titles: Vec<String> = decoded
        .layers
        .iter()
        .flat_map(|l| {
            assert_eq!((l.version, l.name.as_str(), l.extent), (2, layer, Some(4096)));
            l.features.iter().map(|f| {
                let text = |name: &str| {
                    let pair = f.tags.chunks(2).find(|t| l.keys[t[0] as usize] == name)?;
                    l.values[pair[1] as usize].string.clone()
                };
                // A thing without a name has no title; the end of its identifier stands for it.
                text("title").unwrap_or_else(|| text("id").unwrap().rsplit(':').next().unwrap().to_owned())
            })
        })
        .collect();
    titles.sort();
    titles
}

#[test]
fn a_tile_holds_what_lies_in_it() {
    let views = views(&store());
    assert_eq!(titles(&views, "trees", centre()), ["1", "2"]);
    assert_eq!(titles(&views, "areas", centre()), ["Cool"]);
    assert!(titles(&views, "trees", TileId::new(14, 0, 0).unwrap()).is_empty());
    assert!(titles(&views, "trees", TileId::new(9, 262, 169).unwrap()).is_empty(), "below the first level");
}

#[test]
fn a_tile_is_never_behind_an_acknowledged_change() {
    let store = store();
    let views = views(&store);
    for round in 0..50 {
        put(&store, &format!("tree:new Tree 4.4772,51.9241 year=19{:02} name=round{round}", round));
        assert!(titles(&views, "trees", centre()).contains(&format!("round{round}")), "written, then read");
        put(&store, "tree:new Tree 4.6000,51.9000 name=away");
        assert_eq!(titles(&views, "trees", centre()), ["1", "2"], "moved out of the tile");
    }
    put(&store, "tree:new Tree 4.4772,51.9241 name=here");
    assert_eq!(titles(&views, "trees", centre()), ["1", "2", "here"]);
    delete(&store, "tree:new");
    assert_eq!(titles(&views, "trees", centre()), ["1", "2"]);
}

#[test]
fn a_tile_that_no_change_touches_stays_in_the_cache_with_its_fingerprint() {
    let store = store();
    let views = views(&store);
    let look = || {
        let (snapshot, tenant) = (views.snapshot().unwrap(), Tenant::default());
        views.tile(&view(&snapshot, &tenant, "12:12"), "trees", centre()).unwrap()
    };
    let first = look();
    put(&store, "station:9 Station 4.4777,51.9244 name=another-layer");
    let second = look();
    assert_eq!((first.sequence, first.etag.clone()), (second.sequence, second.etag));
    put(&store, "tree:9 Tree 4.4777,51.9244 year=2000");
    let third = look();
    assert!(third.sequence > first.sequence && third.etag != first.etag);
}

#[test]
fn far_out_a_fixed_sample_of_points_is_shown_that_stays_further_in() {
    let store = store();
    for i in 0..200 {
        put(&store, &format!("tree:s{i} Tree {},51.9242 name=s{i}", 4.470 + f64::from(i) * 0.000_05));
    }
    let views = views(&store);
    let far = titles(&views, "trees", TileId::new(12, 2098, 1354).unwrap());
    let near = titles(&views, "trees", TileId::new(13, 4197, 2708).unwrap());
    let all = titles(&views, "trees", centre());
    assert!(far.len() < near.len() && near.len() < all.len(), "{} {} {}", far.len(), near.len(), all.len());
    assert!((2..40).contains(&far.len()), "about a sixteenth of 200: {}", far.len());
    let near_of_all: Vec<&String> = far.iter().filter(|t| t.starts_with('s')).collect();
    assert!(near_of_all.iter().all(|t| near.contains(t) || !all.contains(t)), "{far:?}");
}

#[test]
fn an_unknown_layer_is_missing() {
    let views = views(&store());
    let (snapshot, tenant) = (views.snapshot().unwrap(), Tenant::default());
    let asked = views.tile(&view(&snapshot, &tenant, "12:12"), "dragons", centre());
    assert!(matches!(asked, Err(ViewError::Missing(_))));
}
