//! Pages as a browser shows them, looked at by axe-core: what keeps people from reading them, wide and narrow, light and dark.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Width of the window, and the colours: 1 is light, 0 dark.
const WINDOWS: [(u32, u32); 3] = [(1280, 1), (1280, 0), (390, 1)];

fn axe() -> PathBuf {
    let cache = std::env::var_os("AICONFORM_CACHE_DIR").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/aiconform"),
        PathBuf::from,
    );
    let file = cache.join("tests/axe-core-4.14.1/axe.min.js");
    assert!(file.is_file(), "the tests need {}: ./setup --tests", file.display());
    file
}

/// The page with axe-core in it. The policy of a page permits its own script only, and is tested elsewhere.
fn with_axe(page: &str) -> String {
    let policy = "<meta http-equiv=\"Content-Security-Policy\"";
    let page = match page.find(policy) {
        Some(start) => {
            let end = start + page[start..].find('>').unwrap() + 1;
            format!("{}{}", &page[..start], &page[end..])
        }
        None => page.to_owned(),
    };
    let look = "axe.run().then(found => { document.title = 'axe ' + found.passes.length + ' ' + found.violations.map(one => \
        one.id + ': ' + one.nodes.map(node => node.target.join(' ')).join(', ')).join('; ') })";
    let script =
        format!("<script src=\"file://{}\"></script><script>{look}</script></body>", axe().display());
    assert!(page.contains("</body>"));
    page.replacen("</body>", &script, 1)
}

/// Runs a browser that shows nothing and cannot resolve any name.
pub fn browser(arguments: &[String]) -> Output {
    let profile = tempfile::tempdir().unwrap();
    Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
        .output()
        .expect("the tests need chromium: ./setup --tests")
}

/// Sees to it that a page has nothing that axe-core finds fault with.
pub fn is_accessible(page: &Path) {
    let looked = page.with_extension("axe.html");
    std::fs::write(&looked, with_axe(&std::fs::read_to_string(page).unwrap())).unwrap();
    for (width, scheme) in WINDOWS {
        let output = browser(&[
            "--dump-dom".to_owned(),
            // Time that nothing happens in does not pass.
            "--virtual-time-budget=60000".to_owned(),
            format!("--window-size={width},1000"),
            format!("--blink-settings=preferredColorScheme={scheme}"),
            format!("file://{}", looked.display()),
        ]);
        let shown = String::from_utf8_lossy(&output.stdout);
        let title =
            shown.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap_or_default();
        let told: Vec<&str> = title.splitn(3, ' ').collect();
        let [word, passes, violations] = told.as_slice() else { panic!("{}: {title}", page.display()) };
        let passes: u32 = passes.parse().unwrap_or_default();
        assert!(*word == "axe" && passes > 10, "axe-core did not look at {}: {title}", page.display());
        assert_eq!(*violations, "", "{} at {width} px, colours {scheme}", page.display());
    }
    std::fs::remove_file(looked).unwrap();
}

#[test]
fn what_nobody_could_read_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let body = "<html lang=\"en\"><head><title>t</title></head><body><main><h1>t</h1><p style=\"color:#ddd;background:#fff\">grey</p></main></body></html>";
    std::fs::write(&page, body).unwrap();
    let found = std::panic::catch_unwind(|| is_accessible(&page)).unwrap_err();
    let words = found.downcast_ref::<String>().unwrap();
    assert!(words.contains("color-contrast"), "{words}");
}
