//! Facts that can be told of a link without following it.

/// A link into the network, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link<'a> {
    /// The host, in lower case, without `www.`.
    pub host: String,
    /// The parts of the path.
    pub path: Vec<&'a str>,
}

impl<'a> Link<'a> {
    /// Takes a link apart; `None` when it is none.
    pub fn of(text: &'a str) -> Option<Link<'a>> {
        let text = text.trim();
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let rest = rest.split(['#', '?']).next()?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = host.rsplit('@').next()?.split(':').next()?.to_ascii_lowercase();
        let host = host.strip_prefix("www.").unwrap_or(&host).to_owned();
        if host.is_empty() || !host.contains('.') || host.contains(char::is_whitespace) {
            return None;
        }
        Some(Link { host, path: path.split('/').filter(|part| !part.is_empty()).collect() })
    }

    /// The owner of the repository on GitHub.
    pub fn owner(&self) -> Option<&'a str> {
        let github = ["github.com", "raw.githubusercontent.com"].contains(&self.host.as_str());
        github.then(|| self.path.first().copied()).flatten()
    }

    /// The branch, tag or commit of a file in a repository; a tag or branch after `refs/` is told apart.
    pub fn revision(&self) -> Option<&'a str> {
        let at = |index: usize| self.path.get(index).copied();
        let raw = match self.host.as_str() {
            "github.com" => ["blob", "tree", "raw", "edit"].contains(&at(2)?).then_some(3)?,
            "raw.githubusercontent.com" => 2,
            _ => {
                self.path
                    .windows(2)
                    .position(|pair| pair[0] == "-" && ["blob", "tree", "raw"].contains(&pair[1]))?
                    + 2
            }
        };
        match (at(raw)?, at(raw + 1), at(raw + 2)) {
            ("refs", Some("heads"), Some(branch)) => Some(branch),
            ("refs", Some("tags"), _) => None,
            (revision, ..) => Some(revision),
        }
    }

    /// The branch, when the file may be another one tomorrow.
    pub fn mutable(&self) -> Option<&'a str> {
        let heads = self.path.windows(2).any(|pair| pair == ["refs", "heads"]);
        let known = ["main", "master", "trunk", "develop", "dev", "HEAD"];
        self.revision().filter(|revision| heads || known.contains(revision) || edited(revision))
    }
}

/// The name that GitHub gives to the branch of somebody who edits a file in the browser.
pub fn edited(branch: &str) -> bool {
    branch.strip_prefix("patch-").is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_is_told_from_a_tag_and_a_commit() {
        let mutable = |link: &str| Link::of(link).and_then(|link| link.mutable().map(str::to_owned));
        assert_eq!(mutable("https://github.com/cirrus/proof/blob/main/a.md").as_deref(), Some("main"));
        assert_eq!(
            mutable("https://raw.githubusercontent.com/cirrus/proof/refs/heads/x/a.md").as_deref(),
            Some("x")
        );
        assert_eq!(mutable("https://gitlab.com/a/b/-/tree/master/c").as_deref(), Some("master"));
        for fixed in [
            "https://github.com/cirrus/proof/blob/v1.2/a.md",
            "https://github.com/cirrus/proof",
            "https://raw.githubusercontent.com/cirrus/proof/refs/tags/v1/a.svg",
            "https://docs.cirrus.example/main/",
            "nothing",
        ] {
            assert_eq!(mutable(fixed), None, "{fixed}");
        }
    }
}
