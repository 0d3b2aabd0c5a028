//! The driver's library, called as its header says (`cuda.h` of CUDA 12): the one place with unsafe code of this program.
//!
//! Of each function the newest form is taken that all drivers since 450 have. What it answers is a `CUresult`, 0 for success.

#![allow(unsafe_code, reason = "functions of a library of C")]

use libloading::Library;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr::{null, null_mut};

/// Names under which the library may lie. The loader knows the first where the container's list of libraries was renewed when
/// they were put into it; the others are where they are put.
const NAMES: [&str; 6] = [
    "libcuda.so.1",
    "/usr/lib64/libcuda.so.1",
    "/usr/lib/x86_64-linux-gnu/libcuda.so.1",
    "/usr/lib/aarch64-linux-gnu/libcuda.so.1",
    // On GKE, as its documentation says.
    "/usr/local/nvidia/lib64/libcuda.so.1",
    "/usr/lib/wsl/lib/libcuda.so.1",
];
/// The library that tells of the kernel's half of the driver, beside the other.
const MANAGEMENT: &str = "libnvidia-ml.so.1";

/// Libraries that the driver's own asks for when it translates PTX.
const TRANSLATORS: [&str; 2] = ["libnvidia-nvvm.so.4", "libnvidia-ptxjitcompiler.so.1"];

/// Threads of a block of the kernel, and blocks for each multiprocessor.
const THREADS: u32 = 256;
const BLOCKS: u32 = 4;
/// `CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT`.
const MULTIPROCESSORS: c_int = 16;
/// The kernel, ended by a zero as a text of C.
const KERNEL: &str = concat!(include_str!("busy.ptx"), "\0");

type Result32 = c_int;
type Handle = *mut c_void;
/// `CUuuid`.
type Uuid = [u8; 16];

/// The library.
pub struct Driver {
    library: Library,
    kernel_version: Option<String>,
}

/// A device.
pub struct Device {
    number: c_int,
    /// Its name as NVIDIA writes it: `GPU-…`, or `MIG-…` of a part.
    pub uuid: String,
    /// Name of the device that it is a part of (MIG).
    pub parent: Option<String>,
    /// Its model.
    pub model: String,
    /// All its memory, in bytes.
    pub memory: u64,
}

/// A context on a device, with the kernel in it.
pub struct Load<'a> {
    driver: &'a Driver,
    context: Handle,
    kernel: Handle,
    result: u64,
    blocks: c_uint,
}

impl Driver {
    /// Loads the library and begins with it.
    ///
    /// # Errors
    /// When it is not there, or the driver is not.
    pub fn open() -> Result<Driver, String> {
        let open = |name: &&str| {
            beside(name);
            // SAFETY: its constructors are those of the driver that the container was given, which is what is asked for.
            unsafe { Library::new(*name) }.map_err(|error| error.to_string())
        };
        let mut found = NAMES.iter().map(open);
        let first = found.next().unwrap_or_else(|| Err("there is no name of it".into()));
        let library = first.or_else(|why| found.find_map(Result::ok).ok_or(why)).map_err(|why| {
            format!(
                "the driver's library is not in the container ({why}); who gives the device puts it there: the NVIDIA container toolkit, by CDI or as a RuntimeClass"
            )
        })?;
        let driver = Driver {
            library,
            kernel_version: Management::open().and_then(|library| library.kernel_version()),
        };
        // SAFETY: `CUresult cuInit(unsigned int)`.
        let begin = unsafe { driver.function::<unsafe extern "C" fn(c_uint) -> Result32>("cuInit")? };
        // SAFETY: it takes no flags.
        driver.check("cuInit", unsafe { begin(0) })?;
        Ok(driver)
    }

    /// A function of the library.
    ///
    /// # Safety
    /// `F` must be the type that the header gives the function.
    unsafe fn function<F: Copy>(&self, name: &str) -> Result<F, String> {
        // SAFETY: the caller's.
        let symbol = unsafe { self.library.get::<F>(name.as_bytes()) };
        symbol.map(|symbol| *symbol).map_err(|error| format!("libcuda.so.1 has no {name}: {error}"))
    }

    /// Answer of a function: nothing, or why it could not, in the driver's words.
    fn check(&self, what: &str, code: Result32) -> Result<(), String> {
        if code == 0 {
            return Ok(());
        }
        let mut words: *const c_char = null();
        type Name = unsafe extern "C" fn(Result32, *mut *const c_char) -> Result32;
        // SAFETY: `CUresult cuGetErrorName(CUresult, const char **)`; it gives a text that lasts.
        let name = unsafe { self.function::<Name>("cuGetErrorName") };
        let known = name.is_ok_and(|name| unsafe { name(code, &raw mut words) } == 0) && !words.is_null();
        // SAFETY: it is a text that ends, by the answer.
        let words = if known { unsafe { CStr::from_ptr(words) }.to_string_lossy() } else { "no name".into() };
        Err(format!("{what} says {code} ({words})"))
    }

    /// Version of the interface that the driver has: 13000 for 13.0.
    ///
    /// # Errors
    /// When it does not say.
    pub fn version(&self) -> Result<u32, String> {
        let mut version: c_int = 0;
        // SAFETY: `CUresult cuDriverGetVersion(int *)`.
        let ask =
            unsafe { self.function::<unsafe extern "C" fn(*mut c_int) -> Result32>("cuDriverGetVersion")? };
        // SAFETY: it writes one number.
        self.check("cuDriverGetVersion", unsafe { ask(&raw mut version) })?;
        u32::try_from(version).map_err(|error| error.to_string())
    }

    /// Version of the kernel's half, where it can be asked.
    pub fn kernel_version(&self) -> Option<&str> {
        self.kernel_version.as_deref()
    }

    /// Number of devices.
    ///
    /// # Errors
    /// When the driver does not say.
    pub fn count(&self) -> Result<c_int, String> {
        let mut count: c_int = 0;
        // SAFETY: `CUresult cuDeviceGetCount(int *)`.
        let ask =
            unsafe { self.function::<unsafe extern "C" fn(*mut c_int) -> Result32>("cuDeviceGetCount")? };
        // SAFETY: it writes one number.
        self.check("cuDeviceGetCount", unsafe { ask(&raw mut count) })?;
        Ok(count)
    }

    /// A device by its number.
    ///
    /// # Errors
    /// When the driver does not tell of it.
    pub fn device(&self, place: c_int) -> Result<Device, String> {
        let mut number: c_int = 0;
        type Get = unsafe extern "C" fn(*mut c_int, c_int) -> Result32;
        // SAFETY: `CUresult cuDeviceGet(CUdevice *, int)`.
        let get = unsafe { self.function::<Get>("cuDeviceGet")? };
        // SAFETY: it writes one number.
        self.check("cuDeviceGet", unsafe { get(&raw mut number, place) })?;
        let mut name = [0 as c_char; 256];
        type Name = unsafe extern "C" fn(*mut c_char, c_int, c_int) -> Result32;
        // SAFETY: `CUresult cuDeviceGetName(char *, int, CUdevice)`.
        let ask = unsafe { self.function::<Name>("cuDeviceGetName")? };
        // SAFETY: it writes at most as many letters as it is told, the last zero with them; one more is kept.
        self.check("cuDeviceGetName", unsafe { ask(name.as_mut_ptr(), 255, number) })?;
        // SAFETY: it ends, if not before, with the letter that was kept.
        let model = unsafe { CStr::from_ptr(name.as_ptr()) }.to_string_lossy().into_owned();
        let mut memory: usize = 0;
        type Memory = unsafe extern "C" fn(*mut usize, c_int) -> Result32;
        // SAFETY: `CUresult cuDeviceTotalMem_v2(size_t *, CUdevice)`.
        let ask = unsafe { self.function::<Memory>("cuDeviceTotalMem_v2")? };
        // SAFETY: it writes one number.
        self.check("cuDeviceTotalMem", unsafe { ask(&raw mut memory, number) })?;
        let whole = self.uuid("cuDeviceGetUuid", number)?;
        // The newer form gives a part's own name, where the older gives its whole's.
        let own = self.uuid("cuDeviceGetUuid_v2", number).unwrap_or(whole);
        let uuid = written(if own == whole { "GPU" } else { "MIG" }, &own);
        let parent = (own != whole).then(|| written("GPU", &whole));
        Ok(Device { number, uuid, parent, model, memory: memory as u64 })
    }

    fn uuid(&self, name: &str, number: c_int) -> Result<Uuid, String> {
        let mut uuid: Uuid = [0; 16];
        type Ask = unsafe extern "C" fn(*mut Uuid, c_int) -> Result32;
        // SAFETY: `CUresult cuDeviceGetUuid(CUuuid *, CUdevice)`, and `_v2` is as it.
        let ask = unsafe { self.function::<Ask>(name)? };
        // SAFETY: it writes sixteen bytes.
        self.check(name, unsafe { ask(&raw mut uuid, number) })?;
        Ok(uuid)
    }

    /// A context on a device, with the kernel.
    ///
    /// # Errors
    /// When the driver refuses it.
    pub fn load(&self, device: &Device) -> Result<Load<'_>, String> {
        let mut load = Load { driver: self, context: null_mut(), kernel: null_mut(), result: 0, blocks: 0 };
        type Retain = unsafe extern "C" fn(*mut Handle, c_int) -> Result32;
        // SAFETY: `CUresult cuDevicePrimaryCtxRetain(CUcontext *, CUdevice)`.
        let retain = unsafe { self.function::<Retain>("cuDevicePrimaryCtxRetain")? };
        // SAFETY: it writes one handle.
        self.check("cuDevicePrimaryCtxRetain", unsafe { retain(&raw mut load.context, device.number) })?;
        load.enter()?;
        let mut module: Handle = null_mut();
        type Module = unsafe extern "C" fn(*mut Handle, *const c_void) -> Result32;
        // SAFETY: `CUresult cuModuleLoadData(CUmodule *, const void *)`.
        let translate = unsafe { self.function::<Module>("cuModuleLoadData")? };
        // SAFETY: PTX is a text that ends with a zero.
        self.check("cuModuleLoadData", unsafe { translate(&raw mut module, KERNEL.as_ptr().cast()) })?;
        type Function = unsafe extern "C" fn(*mut Handle, Handle, *const c_char) -> Result32;
        // SAFETY: `CUresult cuModuleGetFunction(CUfunction *, CUmodule, const char *)`.
        let find = unsafe { self.function::<Function>("cuModuleGetFunction")? };
        // SAFETY: the module was loaded, and the name ends with a zero.
        self.check("cuModuleGetFunction", unsafe { find(&raw mut load.kernel, module, c"busy".as_ptr()) })?;
        load.result = load.taken(4)?;
        let mut processors: c_int = 0;
        type Attribute = unsafe extern "C" fn(*mut c_int, c_int, c_int) -> Result32;
        // SAFETY: `CUresult cuDeviceGetAttribute(int *, CUdevice_attribute, CUdevice)`.
        let ask = unsafe { self.function::<Attribute>("cuDeviceGetAttribute")? };
        // SAFETY: it writes one number.
        self.check("cuDeviceGetAttribute", unsafe {
            ask(&raw mut processors, MULTIPROCESSORS, device.number)
        })?;
        load.blocks = u32::try_from(processors).unwrap_or(1).max(1) * BLOCKS;
        Ok(load)
    }
}

impl Load<'_> {
    /// Makes its context that of the thread.
    fn enter(&self) -> Result<(), String> {
        // SAFETY: `CUresult cuCtxSetCurrent(CUcontext)`.
        let enter =
            unsafe { self.driver.function::<unsafe extern "C" fn(Handle) -> Result32>("cuCtxSetCurrent")? };
        // SAFETY: the context was retained, and is let go of when the program ends.
        self.driver.check("cuCtxSetCurrent", unsafe { enter(self.context) })
    }

    /// Begins so many turns of the kernel on every multiprocessor.
    ///
    /// # Errors
    /// When the driver refuses it.
    pub fn launch(&self, turns: u32) -> Result<(), String> {
        self.enter()?;
        type Launch = unsafe extern "C" fn(
            Handle,
            c_uint,
            c_uint,
            c_uint,
            c_uint,
            c_uint,
            c_uint,
            c_uint,
            Handle,
            *mut *mut c_void,
            *mut *mut c_void,
        ) -> Result32;
        // SAFETY: `CUresult cuLaunchKernel(CUfunction, unsigned int × 7, CUstream, void **, void **)`.
        let launch = unsafe { self.driver.function::<Launch>("cuLaunchKernel")? };
        let (mut result, mut turns) = (self.result, turns);
        let mut parameters = [(&raw mut result).cast::<c_void>(), (&raw mut turns).cast::<c_void>()];
        // SAFETY: the kernel takes an address and a number, which are copied before the call returns; the address is of
        // memory that was taken. No stream is the default one.
        let code = unsafe {
            launch(
                self.kernel,
                self.blocks,
                1,
                1,
                THREADS,
                1,
                1,
                0,
                null_mut(),
                parameters.as_mut_ptr(),
                null_mut(),
            )
        };
        self.driver.check("cuLaunchKernel", code)
    }

    /// Waits until what was begun is done.
    ///
    /// # Errors
    /// When the device failed at it.
    pub fn wait(&self) -> Result<(), String> {
        self.enter()?;
        // SAFETY: `CUresult cuCtxSynchronize(void)`.
        let wait = unsafe { self.driver.function::<unsafe extern "C" fn() -> Result32>("cuCtxSynchronize")? };
        // SAFETY: it takes nothing.
        self.driver.check("cuCtxSynchronize", unsafe { wait() })
    }

    /// Takes so many bytes and writes to all of them, so that they are really there.
    ///
    /// # Errors
    /// When the device has no more.
    pub fn take(&self, bytes: u64) -> Result<(), String> {
        self.enter()?;
        let place = self.taken(bytes)?;
        let length = usize::try_from(bytes).map_err(|error| error.to_string())?;
        type Set = unsafe extern "C" fn(u64, u8, usize) -> Result32;
        // SAFETY: `CUresult cuMemsetD8_v2(CUdeviceptr, unsigned char, size_t)`.
        let set = unsafe { self.driver.function::<Set>("cuMemsetD8_v2")? };
        // SAFETY: so many bytes were taken there.
        self.driver.check("cuMemsetD8", unsafe { set(place, 1, length) })?;
        self.wait()
    }

    fn taken(&self, bytes: u64) -> Result<u64, String> {
        let mut place = 0_u64;
        let length = usize::try_from(bytes).map_err(|error| error.to_string())?;
        type Take = unsafe extern "C" fn(*mut u64, usize) -> Result32;
        // SAFETY: `CUresult cuMemAlloc_v2(CUdeviceptr *, size_t)`.
        let take = unsafe { self.driver.function::<Take>("cuMemAlloc_v2")? };
        // SAFETY: it writes one address.
        self.driver.check("cuMemAlloc", unsafe { take(&raw mut place, length) })?;
        Ok(place)
    }
}

/// The library for managing devices (`nvml.h` of CUDA 12), which tells of them what their exporter tells.
pub struct Management {
    library: Library,
}

impl Management {
    /// Loads the library and begins with it; nothing where it is not there, or cannot begin.
    pub fn open() -> Option<Management> {
        let beside = NAMES.iter().map(|name| name.replace("libcuda.so.1", MANAGEMENT));
        // SAFETY: as of the other library.
        let library = beside.into_iter().find_map(|name| unsafe { Library::new(name) }.ok())?;
        // SAFETY: `nvmlReturn_t nvmlInit_v2(void)`.
        let begin = unsafe { *library.get::<unsafe extern "C" fn() -> Result32>(b"nvmlInit_v2").ok()? };
        // SAFETY: it takes nothing.
        (unsafe { begin() } == 0).then_some(Management { library })
    }

    /// Version of the kernel's half of the driver.
    pub fn kernel_version(&self) -> Option<String> {
        type Ask = unsafe extern "C" fn(*mut c_char, c_uint) -> Result32;
        // SAFETY: `nvmlReturn_t nvmlSystemGetDriverVersion(char *, unsigned int)`.
        let ask = unsafe { *self.library.get::<Ask>(b"nvmlSystemGetDriverVersion").ok()? };
        let mut version = [0 as c_char; 81];
        // SAFETY: it writes at most as many letters as it is told; one more is kept for the end.
        let answered = unsafe { ask(version.as_mut_ptr(), 80) } == 0;
        // SAFETY: it ends, if not before, with the letter that was kept.
        answered.then(|| unsafe { CStr::from_ptr(version.as_ptr()) }.to_string_lossy().into_owned())
    }

    fn device(&self, uuid: &str) -> Option<Handle> {
        let name = std::ffi::CString::new(uuid).ok()?;
        let mut device: Handle = null_mut();
        type Find = unsafe extern "C" fn(*const c_char, *mut Handle) -> Result32;
        // SAFETY: `nvmlReturn_t nvmlDeviceGetHandleByUUID(const char *, nvmlDevice_t *)`.
        let find = unsafe { *self.library.get::<Find>(b"nvmlDeviceGetHandleByUUID").ok()? };
        // SAFETY: the name ends with a zero, and one handle is written.
        (unsafe { find(name.as_ptr(), &raw mut device) } == 0).then_some(device)
    }

    /// Share of the last time in which a device was busy, in percent.
    pub fn busy(&self, uuid: &str) -> Option<u32> {
        let device = self.device(uuid)?;
        // `nvmlUtilization_t`: the device's, and its memory's.
        let mut busy = [0_u32; 2];
        type Ask = unsafe extern "C" fn(Handle, *mut [u32; 2]) -> Result32;
        // SAFETY: `nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t, nvmlUtilization_t *)`.
        let ask = unsafe { *self.library.get::<Ask>(b"nvmlDeviceGetUtilizationRates").ok()? };
        // SAFETY: it writes two numbers.
        (unsafe { ask(device, &raw mut busy) } == 0).then_some(busy[0])
    }

    /// Memory of a device that is in use, in bytes.
    pub fn used(&self, uuid: &str) -> Option<u64> {
        self.memory(uuid).map(|[_, _, used]| used)
    }

    /// All memory of a device, in bytes.
    pub fn all(&self, uuid: &str) -> Option<u64> {
        self.memory(uuid).map(|[all, ..]| all)
    }

    fn memory(&self, uuid: &str) -> Option<[u64; 3]> {
        let device = self.device(uuid)?;
        // `nvmlMemory_t`: all, free, used.
        let mut memory = [0_u64; 3];
        type Ask = unsafe extern "C" fn(Handle, *mut [u64; 3]) -> Result32;
        // SAFETY: `nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t, nvmlMemory_t *)`.
        let ask = unsafe { *self.library.get::<Ask>(b"nvmlDeviceGetMemoryInfo").ok()? };
        // SAFETY: it writes three numbers.
        (unsafe { ask(device, &raw mut memory) } == 0).then_some(memory)
    }
}

/// Loads what the driver's library asks for by name when it translates a kernel, from the folder that it lies in itself: the loader
/// does not look there by itself.
fn beside(name: &str) {
    let Some((folder, _)) = name.rsplit_once('/') else { return };
    for part in TRANSLATORS {
        // SAFETY: as of the library itself.
        if let Ok(library) = unsafe { Library::new(format!("{folder}/{part}")) } {
            // It stays as long as the program.
            std::mem::forget(library);
        }
    }
}

/// A name as NVIDIA writes it.
fn written(kind: &str, uuid: &Uuid) -> String {
    let hex: String = uuid.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    format!("{kind}-{}", parts.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_the_maker_writes_them() {
        let uuid: Uuid = std::array::from_fn(|place| u8::try_from(place).unwrap() * 0x11);
        assert_eq!(written("GPU", &uuid), "GPU-00112233-4455-6677-8899-aabbccddeeff");
    }
}
