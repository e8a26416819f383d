//! Paths of belfry.yml: relative to its folder, and named so wherever they are shown or are part of an identity.

use std::path::{Component, Path, PathBuf};

/// A path as it was written, seen from `dir`.
pub(super) fn resolve(dir: &Path, written: &str) -> PathBuf {
    // By components, which leaves out the `.` of `./data`.
    dir.join(written).components().collect()
}

/// A file's name in identities: relative to `dir` where it lies in it, without `.` and `..` where that can be told from
/// the text alone.
pub(super) fn identity(dir: &Path, path: &Path) -> String {
    let inside = if path.is_absolute() { path.strip_prefix(dir).unwrap_or(path) } else { path };
    let mut clean = PathBuf::new();
    for component in inside.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(clean.components().next_back(), Some(Component::Normal(_))) => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean.to_string_lossy().into_owned()
}

/// A file's name for people: what they would type from where they are.
pub(super) fn shown(dir: &Path, identity: &str) -> String {
    if dir == Path::new(".") { identity.to_owned() } else { dir.join(identity).to_string_lossy().into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_do_not_depend_on_how_a_path_was_written() {
        let dir = Path::new("/etc/belfry");
        let cases = [
            ("rules/a.yml", "rules/a.yml"),
            ("./rules/a.yml", "rules/a.yml"),
            ("rules/../rules/a.yml", "rules/a.yml"),
            ("/etc/belfry/rules/a.yml", "rules/a.yml"),
            ("/srv/rules/a.yml", "/srv/rules/a.yml"),
            ("../rules/a.yml", "../rules/a.yml"),
            ("../../a.yml", "../../a.yml"),
        ];
        for (written, want) in cases {
            assert_eq!(identity(dir, Path::new(written)), want, "{written}");
        }
    }

    #[test]
    fn people_see_paths_from_where_they_are() {
        assert_eq!(shown(Path::new("."), "rules/a.yml"), "rules/a.yml");
        assert_eq!(shown(Path::new("examples"), "rules/a.yml"), "examples/rules/a.yml");
        assert_eq!(resolve(Path::new("examples"), "./data"), Path::new("examples/data"));
        assert_eq!(resolve(Path::new("examples"), "/data"), Path::new("/data"));
    }
}
