//! Makers of accelerators: one file each (`vendors/*.toml`), and nothing of them in code.

use crate::way::Way;
use aiconform_check::profile::Profile;
use serde::Deserialize;
use std::sync::LazyLock;

/// A maker, as its file says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maker {
    /// Its id, as the profile names it.
    pub id: String,
    /// Domains of its extended resources, and of its DRA drivers and their classes.
    pub domains: Vec<String>,
    /// Extended resources that are accelerators, where the last part of their names does not say so.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Extended resources under which the same chips are offered: they are counted once.
    #[serde(default)]
    pub one_chip: Vec<String>,
    /// The load that comes with aiconform.
    pub load: Option<OwnLoad>,
}

/// A load that comes with aiconform.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnLoad {
    /// Its image, whose tag is the version of this program.
    pub image: String,
    /// Its command in that image.
    pub command: Vec<String>,
}

/// Program that puts devices to work (`docs/guide/load.md`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// Maker of the devices, by its id.
    pub maker: &'static str,
    /// Its image.
    pub image: String,
    /// Its command in that image.
    pub command: Vec<String>,
    /// RuntimeClass of its pods; none: the default runtime.
    pub runtime_class: Option<String>,
}

const FILES: [&str; 7] = [
    include_str!("../vendors/nvidia.toml"),
    include_str!("../vendors/amd.toml"),
    include_str!("../vendors/aws.toml"),
    include_str!("../vendors/google.toml"),
    include_str!("../vendors/habana.toml"),
    include_str!("../vendors/huawei.toml"),
    include_str!("../vendors/intel.toml"),
];

static MAKERS: LazyLock<Vec<Maker>> = LazyLock::new(|| {
    let read = |file: &&str| toml::from_str(file).expect("a test reads them");
    FILES.iter().map(read).collect()
});

/// Makers that are known.
pub fn makers() -> &'static [Maker] {
    &MAKERS
}

/// The maker of what is asked for in this way, by the domain of its name.
pub fn maker(way: &Way) -> Option<&'static Maker> {
    let domain = match way {
        Way::Resource(name) => name.split('/').next().unwrap_or_default(),
        Way::Class(name) => name,
    };
    let is_below = |known: &String| {
        domain.strip_suffix(known.as_str()).is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    makers().iter().find(|maker| maker.domains.iter().any(is_below))
}

/// The load for what is asked for in this way: the profile's, or one that comes with aiconform. Without one it is worked on by
/// the probe itself, which can do that with simulated devices.
pub fn load(way: &Way, profile: &Profile) -> Option<Load> {
    let maker = maker(way)?;
    let named = profile.load.get(&maker.id);
    let own = maker.load.as_ref();
    let image = named.and_then(|named| named.image.clone());
    let image = image.or_else(|| own.map(|own| format!("{}:{}", own.image, env!("CARGO_PKG_VERSION"))))?;
    let command = named.map(|named| named.command.clone()).filter(|command| !command.is_empty());
    let command = command.or_else(|| own.map(|own| own.command.clone()))?;
    Some(Load {
        maker: &maker.id,
        image,
        command,
        runtime_class: named.and_then(|named| named.runtime_class.clone()),
    })
}

/// The first flaw in the loads that a profile names.
pub fn flaw(profile: &Profile) -> Option<String> {
    profile.load.iter().find_map(|(id, named)| {
        let Some(maker) = makers().iter().find(|maker| maker.id == *id) else {
            let known: Vec<&str> = makers().iter().map(|maker| maker.id.as_str()).collect();
            return Some(format!("[load.{id}] there is no maker {id}; there are: {}", known.join(", ")));
        };
        let is_whole = maker.load.is_some() || (named.image.is_some() && !named.command.is_empty());
        (!is_whole).then(|| {
            format!("[load.{id}] needs an image and a command: no load of theirs comes with aiconform (docs/guide/load.md)")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maker_is_known_by_its_domain_and_a_load_is_the_profiles_before_our_own() {
        let of = |way: Way| maker(&way).map(|maker| maker.id.as_str());
        let class = |name: &str| Way::Class(name.into());
        let resource = |name: &str| Way::Resource(name.into());
        assert_eq!(of(resource("nvidia.com/gpu")), Some("nvidia"));
        assert_eq!(
            (of(class("gpu.nvidia.com")), of(class("mig.gpu.nvidia.com"))),
            (Some("nvidia"), Some("nvidia"))
        );
        assert_eq!((of(class("notnvidia.com")), of(resource("example.com/gpu"))), (None, None));
        assert_eq!(
            (of(resource("aws.amazon.com/neuron")), of(resource("gpu.intel.com/i915"))),
            (Some("aws"), Some("intel"))
        );

        let profile = |text: &str| Profile::parse(text, "p.toml").unwrap();
        let own = load(&resource("nvidia.com/gpu"), &profile("")).unwrap();
        assert!(
            own.image.starts_with("aiconform.dev/load-nvidia:") && own.command == ["/aiconform-load-nvidia"]
        );
        let pushed = load(&resource("nvidia.com/gpu"), &profile("[load.nvidia]\nimage = \"r/l:1\"")).unwrap();
        assert_eq!((pushed.image.as_str(), pushed.command), ("r/l:1", own.command));
        let other = profile("[load.nvidia]\nimage = \"r/l:1\"\ncommand = [\"python3\", \"/load.py\"]");
        assert_eq!(load(&resource("nvidia.com/gpu"), &other).unwrap().command, ["python3", "/load.py"]);
        assert_eq!(load(&resource("example.com/gpu"), &other), None);
        let flaw = |text: &str| flaw(&profile(text)).unwrap_or_default();
        assert!(flaw("[load.nvida]\nimage = \"r/l:1\"").contains("no maker nvida; there are: nvidia, amd"));
        assert!(flaw("[load.amd]\nimage = \"r/l:1\"").contains("needs an image and a command"));
        assert_eq!(
            flaw("[load.nvidia]\nimage = \"r/l:1\"\n[load.amd]\nimage = \"a\"\ncommand = [\"b\"]"),
            ""
        );
        // No load of theirs comes with aiconform.
        assert_eq!(load(&resource("amd.com/gpu"), &profile("[load.amd]\nimage = \"r/l:1\"")), None);
    }
}
