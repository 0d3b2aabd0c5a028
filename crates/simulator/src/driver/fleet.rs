//! The simulated devices of a node, and who gives out which; the same from one start to the next.

use crate::breakage::Breakage;
use crate::settings::{Form, Settings};
use sha2::{Digest, Sha256};

/// Nature of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// All of a physical device.
    Whole,
    /// A part of one, with memory and a node of its own.
    Partition,
    /// A virtual one, on a physical one.
    Virtual,
}

/// One simulated device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Number on the node, and minor number of its device node.
    pub index: u32,
    /// Name in its pool, and of its plugin's device.
    pub name: String,
    /// UUID by which the device calls itself.
    pub uuid: String,
    /// Nature.
    pub nature: Nature,
    /// The physical device that it is a part of.
    pub parent: Option<String>,
    /// Memory in bytes.
    pub memory: u64,
    /// Memory of all of the physical device, in bytes.
    pub physical_memory: u64,
    /// In how many shares it is given out; 1 for a device that is not shared.
    pub shares: u32,
}

impl Device {
    /// UUID of the device that this one stands on: its own for a whole one.
    pub fn physical(&self) -> &str {
        self.parent.as_deref().unwrap_or(&self.uuid)
    }

    /// Share numbers: none for a device that is not shared, else from 1.
    pub fn share_numbers(&self) -> Vec<Option<u32>> {
        if self.shares == 1 { vec![None] } else { (1..=self.shares).map(Some).collect() }
    }
}

/// Devices that one giver, the DRA driver or a plugin, gives out: their indexes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pool {
    /// The extended resource; empty for the DRA driver.
    pub resource: String,
    /// Indexes of its devices.
    pub devices: Vec<u32>,
}

/// All devices of the node.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    /// By index.
    pub devices: Vec<Device>,
    /// Devices that the DRA driver gives out.
    pub claimable: Pool,
    /// Devices that each device plugin gives out.
    pub plugins: Vec<Pool>,
}

impl Fleet {
    /// The devices that these settings ask for.
    pub fn new(settings: &Settings) -> Fleet {
        let mut fleet = Fleet::default();
        let hidden = settings.is_broken(Breakage::ShareNotOffered);
        for number in 0..settings.devices {
            let name = format!("gpu-{number}");
            let whole = fleet.add(settings, name.clone(), Nature::Whole, None, settings.memory, 1);
            let parent = fleet.devices.last().map(|device| device.uuid.clone());
            fleet.claimable.devices.push(whole);
            let parts = [
                (Nature::Partition, "part", settings.partitions),
                (Nature::Virtual, "vgpu", settings.virtual_devices),
            ];
            for (nature, word, count) in parts {
                for part in 0..if hidden { 0 } else { count } {
                    let memory = settings.memory / u64::from(count);
                    let name = format!("{name}-{word}-{part}");
                    let index = fleet.add(settings, name, nature, parent.clone(), memory, 1);
                    fleet.claimable.devices.push(index);
                }
            }
        }
        let apart = settings.is_broken(Breakage::SharesOnDifferentDevices);
        let times = if settings.is_broken(Breakage::SharesWithoutEnd) { 2 } else { 1 };
        for (number, plugin) in settings.plugins.iter().enumerate() {
            let mut pool = Pool { resource: plugin.resource.clone(), devices: Vec::new() };
            let part = settings.memory / u64::from(plugin.count);
            let (nature, memory, mut shares) = match plugin.form {
                Form::Whole => (Nature::Whole, settings.memory, 1),
                Form::Shared { shares } => (Nature::Whole, settings.memory, shares * times),
                Form::Partition => (Nature::Partition, part, times),
                Form::Virtual => (Nature::Virtual, part, times),
            };
            let mut count = if hidden && plugin.form != Form::Whole { 0 } else { plugin.count };
            if apart && plugin.form != Form::Whole {
                (count, shares) = (count * shares, 1);
            }
            for place in 0..count {
                let which = if apart { format!("{number}/{place}") } else { number.to_string() };
                let parent = (nature != Nature::Whole)
                    .then(|| uuid("GPU", &[&settings.node_name, &plugin.resource, &which]));
                let index = fleet.devices.len();
                let name = match nature {
                    Nature::Whole => format!("gpu-{index}"),
                    Nature::Partition => format!("part-{index}"),
                    Nature::Virtual => format!("vgpu-{index}"),
                };
                pool.devices.push(fleet.add(settings, name, nature, parent, memory, shares));
            }
            fleet.plugins.push(pool);
        }
        fleet
    }

    fn add(
        &mut self,
        settings: &Settings,
        name: String,
        nature: Nature,
        parent: Option<String>,
        memory: u64,
        shares: u32,
    ) -> u32 {
        let index = u32::try_from(self.devices.len()).unwrap_or(u32::MAX);
        let prefix = if nature == Nature::Partition { "MIG" } else { "GPU" };
        let uuid = uuid(prefix, &[&settings.node_name, "device", &index.to_string()]);
        let physical_memory = settings.memory;
        self.devices.push(Device { index, name, uuid, nature, parent, memory, physical_memory, shares });
        index
    }

    /// The device with this index.
    pub fn at(&self, index: u32) -> Option<&Device> {
        self.devices.get(usize::try_from(index).ok()?)
    }

    /// The device of this name in a pool.
    pub fn named(&self, pool: &Pool, name: &str) -> Option<&Device> {
        pool.devices.iter().filter_map(|index| self.at(*index)).find(|device| device.name == name)
    }

    /// Tells whether two devices stand on the same hardware, so that only one may be given out at a time.
    pub fn overlap(one: &Device, other: &Device) -> bool {
        let part_of = |part: &Device, whole: &Device| part.parent.as_deref() == Some(whole.uuid.as_str());
        one.index == other.index || part_of(one, other) || part_of(other, one)
    }

    /// The devices that a holder of `given` gets: `given` itself, unless something is wrong.
    pub fn injected<'a>(&'a self, settings: &Settings, pool: &Pool, given: &'a Device) -> Vec<&'a Device> {
        let all = || pool.devices.iter().filter_map(|index| self.at(*index));
        if settings.is_broken(Breakage::NothingInjected) {
            Vec::new()
        } else if settings.is_broken(Breakage::AllDevicesToAnyClaim) {
            all().collect()
        } else if settings.is_broken(Breakage::OneDeviceTwice) {
            all().take(1).collect()
        } else if settings.is_broken(Breakage::ClaimIgnored) {
            all().cycle().skip_while(|device| device.index != given.index).skip(1).take(1).collect()
        } else {
            vec![given]
        }
    }
}

/// A name for a device that is the same at each start and on no other node.
fn uuid(prefix: &str, parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("/"));
    let text: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{prefix}-{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let plugins = ["a.b/gpu=whole:2", "a.b/shared=shared:1x3", "a.b/mig=partition:2", "a.b/v=virtual:1"];
        Settings {
            partitions: 2,
            virtual_devices: 2,
            plugins: plugins.map(|text| text.parse().unwrap()).into(),
            ..Settings::default()
        }
    }

    #[test]
    fn no_device_has_two_givers_and_every_start_makes_the_same() {
        let fleet = Fleet::new(&settings());
        let mut given = fleet.claimable.devices.clone();
        given.extend(fleet.plugins.iter().flat_map(|pool| pool.devices.clone()));
        given.sort_unstable();
        assert_eq!(given, (0..16).collect::<Vec<u32>>());
        assert_eq!(fleet.devices, Fleet::new(&settings()).devices);
        let mut uuids: Vec<&str> = fleet.devices.iter().map(|device| device.uuid.as_str()).collect();
        uuids.sort_unstable();
        uuids.dedup();
        assert_eq!(uuids.len(), 16);
        let other = Fleet::new(&Settings { node_name: "node-1".into(), ..settings() });
        assert_ne!(other.devices[0].uuid, fleet.devices[0].uuid);
    }

    #[test]
    fn a_part_overlaps_its_whole_and_not_its_sibling() {
        let fleet = Fleet::new(&settings());
        let device = |name: &str| fleet.named(&fleet.claimable, name).unwrap();
        assert!(Fleet::overlap(device("gpu-0"), device("gpu-0-part-1")));
        assert!(Fleet::overlap(device("gpu-0-part-1"), device("gpu-0")));
        assert!(!Fleet::overlap(device("gpu-0-part-0"), device("gpu-0-part-1")));
        assert!(!Fleet::overlap(device("gpu-1"), device("gpu-0-part-1")));
        let of_gpu_1 = device("gpu-1-vgpu-0");
        assert!(Fleet::overlap(device("gpu-1"), of_gpu_1) && !Fleet::overlap(device("gpu-0"), of_gpu_1));
        assert_eq!((of_gpu_1.nature, of_gpu_1.memory), (Nature::Virtual, of_gpu_1.physical_memory / 2));
    }

    #[test]
    fn each_breakage_gives_what_it_says() {
        let healthy = Settings { devices: 3, ..Settings::default() };
        let fleet = Fleet::new(&healthy);
        let given = |breakage: Option<Breakage>, index: u32| -> Vec<u32> {
            let settings = Settings { breakages: breakage.into_iter().collect(), ..healthy.clone() };
            let devices = fleet.injected(&settings, &fleet.claimable, fleet.at(index).unwrap());
            devices.iter().map(|device| device.index).collect()
        };
        assert_eq!(given(None, 1), [1]);
        assert_eq!(given(Some(Breakage::AllDevicesToAnyClaim), 1), [0, 1, 2]);
        assert_eq!(given(Some(Breakage::OneDeviceTwice), 2), [0]);
        assert_eq!(given(Some(Breakage::ClaimIgnored), 1), [2]);
        assert_eq!(given(Some(Breakage::ClaimIgnored), 2), [0]);
        assert!(given(Some(Breakage::NothingInjected), 1).is_empty());
        assert_eq!(given(Some(Breakage::WrongUnit), 1), [1]);
    }

    #[test]
    fn shares_are_on_one_device_unless_something_is_wrong() {
        let pools = |breakages: Vec<Breakage>| -> Vec<(usize, usize, u32)> {
            let fleet = Fleet::new(&Settings { breakages, ..settings() });
            let pool = |pool: &Pool| {
                let devices: Vec<&Device> =
                    pool.devices.iter().filter_map(|index| fleet.at(*index)).collect();
                let mut physical: Vec<&str> = devices.iter().map(|device| device.physical()).collect();
                physical.dedup();
                let shares = devices.iter().map(|device| device.shares).sum();
                (devices.len(), physical.len(), shares)
            };
            fleet.plugins.iter().map(pool).collect()
        };
        // Devices, physical devices, and shares in all.
        assert_eq!(pools(Vec::new()), [(2, 2, 2), (1, 1, 3), (2, 1, 2), (1, 1, 1)]);
        let apart = pools(vec![Breakage::SharesOnDifferentDevices]);
        assert_eq!(apart, [(2, 2, 2), (3, 3, 3), (2, 2, 2), (1, 1, 1)]);
        let endless = pools(vec![Breakage::SharesWithoutEnd]);
        assert_eq!(endless, [(2, 2, 2), (1, 1, 6), (2, 1, 4), (1, 1, 2)]);
    }

    #[test]
    fn what_is_not_offered_is_not_there() {
        let fleet = Fleet::new(&Settings { breakages: vec![Breakage::ShareNotOffered], ..settings() });
        let counts: Vec<usize> = fleet.plugins.iter().map(|pool| pool.devices.len()).collect();
        assert_eq!((fleet.claimable.devices.len(), counts), (2, vec![2, 0, 0, 0]));
    }
}
