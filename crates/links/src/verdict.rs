//! Verdict of an answer on a link.

use aiconform_submission::reach::Reached;
use http::StatusCode;
use url::{Host, Url};

/// Verdict of the status at the end of the way.
///
/// Only what says that there is nothing makes a link broken. Servers refuse programs, or are ill, for reasons that are
/// not the link's.
pub fn of_status(status: StatusCode) -> Reached {
    match status.as_u16() {
        200..=299 => Reached::Fine,
        404 => Reached::Broken("the server says that there is no such page (404)".into()),
        410 => Reached::Broken("the server says that the page is gone for good (410)".into()),
        401 | 407 => Reached::Unverified(format!("it asks for a login ({})", status.as_u16())),
        403 | 451 => Reached::Unverified(format!("the server refuses this program ({})", status.as_u16())),
        429 => Reached::Unverified("the server is asked too often (429)".into()),
        500..=599 => Reached::Unverified(format!("the server is ill ({})", status.as_u16())),
        other => Reached::Unverified(format!("the server answers {other}")),
    }
}

/// Says how a redirection leads away from what was linked, if it does: to a login, or to the front page,
/// which shows nothing of what the link was for and is how many sites say that there is no such page.
pub fn astray(from: &Url, to: &Url) -> Option<String> {
    let host = to.host_str().unwrap_or_default();
    if login(to) && !login(from) {
        return Some(format!("it leads to a login at {host}, so that not everybody can see what is behind"));
    }
    let deep = |url: &Url| url.path() != "/" || url.query().is_some();
    (deep(from) && !deep(to)).then(|| format!("it leads to the front page of {host}, whatever was linked"))
}

/// Tells whether a page is one to log in, by words of its address.
fn login(url: &Url) -> bool {
    const PATH: &[&str] = &[
        "login",
        "log-in",
        "logon",
        "signin",
        "sign-in",
        "sign_in",
        "sso",
        "saml",
        "saml2",
        "oauth",
        "oauth2",
        "authorize",
        "adfs",
    ];
    const HOST: &[&str] = &["login", "signin", "sso", "auth", "accounts", "idp"];
    let host = matches!(url.host(), Some(Host::Domain(name)) if name.split('.').next().is_some_and(|first| HOST.contains(&first)));
    let words = url.path_segments().into_iter().flatten();
    host || words.map(str::to_ascii_lowercase).any(|word| {
        let word = word.split('.').next().unwrap_or_default();
        PATH.contains(&word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(from: &str, to: &str) -> Option<String> {
        astray(&from.parse().unwrap(), &to.parse().unwrap())
    }

    #[test]
    fn a_login_and_a_front_page_are_not_what_was_linked() {
        let page = "https://docs.cirrus.test/gpu/gangs.html";
        for to in [
            "https://docs.cirrus.test/login?next=/gpu/gangs.html",
            "https://docs.cirrus.test/Login.aspx",
            "https://login.cirrus.test/a",
            "https://cirrus.test/oauth2/start",
        ] {
            assert!(says(page, to).is_some_and(|why| why.contains("login")), "{to}");
        }
        for to in ["https://docs.cirrus.test/", "https://nimbus.test"] {
            assert!(says(page, to).is_some_and(|why| why.contains("front page")), "{to}");
        }
        for to in
            ["https://docs.cirrus.test/gpu/gangs", "https://nimbus.test/a", "https://a.test/loginless/x"]
        {
            assert_eq!(says(page, to), None, "{to}");
        }
        assert_eq!(says("http://cirrus.test/", "https://www.cirrus.test/"), None);
        assert_eq!(says("https://cirrus.test/sso/", "https://cirrus.test/sso/setup"), None);
    }
}
