//! Generated files: written by one command, committed, and proven fresh by one check.

use anyhow::{Context, Result, bail};

use crate::run::{cargo, output, program, root, step};

/// A file of the repository and the command whose output it is.
struct Generated {
    path: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    folder: &'static str,
}

/// In the order in which one is made from the other.
const GENERATED: &[Generated] = &[
    Generated { path: "schemas/openapi.json", program: "polder", arguments: &["openapi"], folder: "" },
    Generated { path: "schemas/config.schema.json", program: "polder", arguments: &["config", "schema"], folder: "" },
    Generated { path: "schemas/polder.sample.toml", program: "polder", arguments: &["config", "sample"], folder: "" },
    Generated { path: "docs/command-line.md", program: "polder", arguments: &["help-pages"], folder: "" },
    Generated {
        path: "web/src/lib/api/schema.d.ts",
        program: "npx",
        arguments: &["--no-install", "openapi-typescript", "../schemas/openapi.json"],
        folder: "web",
    },
];

/// Writes every generated file anew.
pub fn write() -> Result<()> {
    for_each(|file, fresh| {
        let path = root().join(file.path);
        if std::fs::read_to_string(&path).ok().as_deref() != Some(fresh) {
            eprintln!("    {}: written", file.path);
            std::fs::write(&path, fresh).with_context(|| format!("cannot write {}", file.path))?;
        }
        Ok(())
    })
}

/// Fails when a committed file differs from what its command prints now.
pub fn check() -> Result<()> {
    for_each(|file, fresh| {
        let committed = std::fs::read_to_string(root().join(file.path)).unwrap_or_default();
        if committed != fresh {
            bail!("{} is stale: run `cargo xtask gen` and commit the result", file.path);
        }
        Ok(())
    })
}

fn for_each(mut act: impl FnMut(&Generated, &str) -> Result<()>) -> Result<()> {
    step("the binary, for generated files", &mut cargo(&crate::test::BUILD))?;
    crate::needs::npm_packages("web")?;
    let polder = root().join("target/debug/polder");
    for file in GENERATED {
        let name =
            if file.program == "polder" { polder.to_string_lossy().into_owned() } else { file.program.to_owned() };
        let fresh = output(&mut program(&name, file.arguments, file.folder))?;
        act(file, &fresh)?;
    }
    Ok(())
}
