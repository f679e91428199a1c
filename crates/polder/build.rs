//! Makes sure the folder of the web app exists, so that the binary builds before the web app does.

fn main() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/build");
    if let Err(error) = std::fs::create_dir_all(folder) {
        println!("cargo::warning=cannot make {folder}: {error}");
    }
    println!("cargo::rerun-if-changed={folder}");
}
