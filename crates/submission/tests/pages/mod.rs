//! What every page of a site must be: well-formed, of known elements, with landmarks, headings and labels, and with links
//! that lead somewhere. Shared by the tests on made-up and on real submissions.

use aiconform_submission::site::{Page, Programme, SiteError, pages};
use quick_xml::events::{BytesStart, Event};
use std::collections::{BTreeMap, BTreeSet};

/// The files of a site, by their names.
pub fn files(programme: &Programme) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    pages(programme, &mut |page: Page| {
        let content = String::from_utf8(page.content).unwrap();
        assert!(files.insert(page.name.clone(), content).is_none(), "{} is made twice", page.name);
        Ok::<(), SiteError>(())
    })
    .unwrap();
    files
}

const ELEMENTS: &[&str] = &[
    "a",
    "article",
    "bdi",
    "blockquote",
    "body",
    "caption",
    "circle",
    "code",
    "dd",
    "defs",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "head",
    "header",
    "html",
    "input",
    "label",
    "li",
    "link",
    "main",
    "meta",
    "nav",
    "option",
    "p",
    "path",
    "pattern",
    "pre",
    "rect",
    "script",
    "section",
    "select",
    "span",
    "strong",
    "style",
    "svg",
    "symbol",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "title",
    "tr",
    "summary",
    "ul",
    "use",
    "wbr",
];

const ATTRIBUTES: &[&str] = &[
    "aria-hidden",
    "aria-label",
    "aria-labelledby",
    "autocomplete",
    "charset",
    "class",
    "colspan",
    "content",
    "cx",
    "cy",
    "d",
    "data-has",
    "data-text",
    "dir",
    "focusable",
    "for",
    "height",
    "hidden",
    "href",
    "http-equiv",
    "id",
    "lang",
    "name",
    "patternTransform",
    "patternUnits",
    "placeholder",
    "r",
    "rel",
    "role",
    "rx",
    "scope",
    "tabindex",
    "title",
    "type",
    "value",
    "viewBox",
    "width",
    "x",
    "y",
];

/// What is kept of a page to follow links to it.
#[derive(Default)]
struct Seen {
    ids: BTreeSet<String>,
    links: Vec<String>,
}

fn attributes(element: &BytesStart<'_>) -> BTreeMap<String, String> {
    let attributes = element.attributes().map(|attribute| {
        let attribute = attribute.unwrap();
        let name = String::from_utf8(attribute.key.as_ref().to_vec()).unwrap();
        let value = String::from_utf8(attribute.value.to_vec()).unwrap();
        (name, quick_xml::escape::unescape(&value).unwrap().into_owned())
    });
    attributes.collect()
}

fn page(name: &str, content: &str) -> Seen {
    let mut reader = quick_xml::Reader::from_str(content);
    let mut seen = Seen::default();
    let (mut open, mut counts): (Vec<String>, BTreeMap<String, usize>) = (Vec::new(), BTreeMap::new());
    let (mut labels, mut fields): (BTreeSet<String>, BTreeSet<String>) = (BTreeSet::new(), BTreeSet::new());
    let mut level = 0;
    loop {
        let event = reader.read_event().unwrap_or_else(|error| panic!("{name}: {error}"));
        let (element, empty) = match &event {
            Event::Start(element) => (element, false),
            Event::Empty(element) => (element, true),
            Event::End(_) => {
                open.pop();
                continue;
            }
            Event::Eof => break,
            _ => continue,
        };
        let tag = String::from_utf8(element.name().as_ref().to_vec()).unwrap();
        let with = attributes(element);
        assert!(ELEMENTS.contains(&tag.as_str()), "{name}: <{tag}>");
        for (attribute, value) in &with {
            assert!(ATTRIBUTES.contains(&attribute.as_str()), "{name}: <{tag} {attribute}={value:?}>");
        }
        let text = |key: &str| with.get(key).cloned().unwrap_or_default();
        if with.contains_key("id") {
            assert!(
                !text("id").contains(char::is_whitespace) && seen.ids.insert(text("id")),
                "{name}: id {with:?}"
            );
        }
        match tag.as_str() {
            "th" => assert!(!text("scope").is_empty(), "{name}: a th without scope"),
            "table" => {
                assert!(open.last().is_some_and(|last| last == "div"), "{name}: a table that cannot scroll")
            }
            "label" => assert!(labels.insert(text("for"))),
            "input" | "select" => assert!(fields.insert(text("id"))),
            "svg" => assert_eq!(text("aria-hidden"), "true", "{name}"),
            "h1" | "h2" | "h3" | "h4" => {
                let next: usize = tag[1..].parse().unwrap();
                assert!(next <= level + 1, "{name}: h{next} after h{level}");
                level = next;
            }
            "a" | "link" => {
                let link = text("href");
                if link.starts_with("http://") || link.starts_with("https://") {
                    assert_eq!(text("rel"), "noopener noreferrer nofollow", "{name}: {link}");
                } else if tag == "a" {
                    seen.links.push(link);
                } else {
                    assert_eq!(link, "data:,");
                }
            }
            "use" => assert!(text("href").starts_with("#i-")),
            _ => {}
        }
        *counts.entry(tag.clone()).or_default() += 1;
        if !empty {
            open.push(tag);
        }
    }
    assert!(open.is_empty(), "{name}: {open:?}");
    assert_eq!(labels, fields, "{name}");
    let count = |tag: &str| counts.get(tag).copied().unwrap_or_default();
    for tag in ["h1", "main", "header", "footer", "nav", "title", "style"] {
        assert_eq!(count(tag), 1, "{name}: {tag}");
    }
    assert_eq!(count("table"), count("caption"), "{name}");
    assert_eq!(count("script"), usize::from(name == "index.html"), "{name}");
    assert!(content.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"), "{name}");
    assert!(content.contains("content=\"default-src &#39;none&#39;;"), "{name}: no policy");
    seen
}

/// Checks every page, and that every link within the site leads to a page and a place that are there. Gives their number.
pub fn check(files: &BTreeMap<String, String>) -> usize {
    let html = files.iter().filter(|(name, _)| name.ends_with(".html"));
    let seen: BTreeMap<&String, Seen> = html.map(|(name, content)| (name, page(name, content))).collect();
    let mut followed = 0;
    for (name, own) in &seen {
        for link in &own.links {
            let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
            let mut parts: Vec<&str> = name.split('/').collect();
            if !path.is_empty() {
                parts.pop();
            }
            for part in path.split('/').filter(|part| !part.is_empty()) {
                if part == ".." { assert!(parts.pop().is_some(), "{name}: {link}") } else { parts.push(part) }
            }
            let target = parts.join("/");
            assert!(files.contains_key(&target), "{name}: {link} leads to {target}, which is not there");
            let there =
                fragment.is_empty() || seen.get(&target).is_some_and(|page| page.ids.contains(fragment));
            assert!(there, "{name}: {link} leads nowhere in {target}");
            followed += 1;
        }
    }
    followed
}
