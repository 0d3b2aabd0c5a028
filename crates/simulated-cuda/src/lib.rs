//! `libcuda.so.1` and `libnvidia-ml.so.1` of simulated devices that pose as NVIDIA's: the functions that a load calls, as the
//! header of CUDA 12 has them. The simulator puts it into the container with the device, as the real one comes there.
//!
//! A kernel is no more than its second parameter: so many turns, at so many a millisecond. There is one context for each device,
//! and its address is the device's number, counted from one.

#![allow(unsafe_code, reason = "functions of a library of C")]
#![allow(non_snake_case, reason = "their names are the driver's")]

mod devices;

use devices::NO_DEVICE;
use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_uint, c_void};

/// Turns of a kernel in a millisecond.
const PACE: u32 = 1 << 14;
/// Handles from here on are of devices that others are parts of.
const WHOLE: usize = 1 << 20;
/// `CUDA_ERROR_INVALID_VALUE`.
const INVALID: c_int = 1;

thread_local! {
    /// Device whose context is the thread's.
    static CURRENT: Cell<usize> = const { Cell::new(0) };
}

/// Writes an answer where the caller wants it.
///
/// # Safety
/// `place` is null, or may be written.
unsafe fn put<T>(place: *mut T, value: Option<T>) -> c_int {
    match value {
        _ if place.is_null() => INVALID,
        None => NO_DEVICE,
        Some(value) => {
            // SAFETY: the caller's.
            unsafe { place.write(value) };
            0
        }
    }
}

/// Writes a text with its end where the caller wants it.
///
/// # Safety
/// `place` is null, or `length` letters may be written there.
unsafe fn put_text(place: *mut c_char, length: usize, text: &str) -> c_int {
    if place.is_null() || length == 0 {
        return INVALID;
    }
    let letters = text.bytes().take(length - 1).chain([0]);
    for (number, letter) in letters.enumerate() {
        // SAFETY: at most `length` of them, by `take`.
        unsafe { place.add(number).write(letter.cast_signed()) };
    }
    0
}

fn number(device: c_int) -> usize {
    usize::try_from(device).unwrap_or(usize::MAX)
}

fn text(device: usize, key: &str) -> Option<String> {
    devices::fact(device, key)?.as_str().map(str::to_owned)
}

/// `CUresult cuInit(unsigned int)`.
#[unsafe(no_mangle)]
pub extern "C" fn cuInit(_flags: c_uint) -> c_int {
    if devices::find() == 0 { NO_DEVICE } else { 0 }
}

/// `CUresult cuDriverGetVersion(int *)`.
///
/// # Safety
/// As the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDriverGetVersion(version: *mut c_int) -> c_int {
    let of = |text: String| {
        let mut parts = text.split('.').map(|part| part.parse::<c_int>().ok());
        Some(parts.next()?? * 1000 + parts.next().flatten().unwrap_or(0) * 10)
    };
    // SAFETY: the caller's.
    unsafe { put(version, text(0, "runtime_version").and_then(of)) }
}

/// `CUresult cuDeviceGetCount(int *)`.
///
/// # Safety
/// As the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetCount(count: *mut c_int) -> c_int {
    // SAFETY: the caller's.
    unsafe { put(count, c_int::try_from(devices::count()).ok()) }
}

/// `CUresult cuDeviceGet(CUdevice *, int)`.
///
/// # Safety
/// As the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGet(device: *mut c_int, ordinal: c_int) -> c_int {
    let known = number(ordinal) < devices::count();
    // SAFETY: the caller's.
    unsafe { put(device, known.then_some(ordinal)) }
}

/// `CUresult cuDeviceGetName(char *, int, CUdevice)`.
///
/// # Safety
/// As the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetName(name: *mut c_char, length: c_int, device: c_int) -> c_int {
    let Some(model) = text(number(device), "model") else { return NO_DEVICE };
    // SAFETY: the caller's.
    unsafe { put_text(name, number(length), &model) }
}

/// `CUresult cuDeviceGetUuid(CUuuid *, CUdevice)`.
///
/// # Safety
/// As the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetUuid(uuid: *mut [u8; 16], device: c_int) -> c_int {
    let whole = text(number(device), "parent").or_else(|| text(number(device), "uuid"));
    // SAFETY: the caller's.
    unsafe { put(uuid, whole.as_deref().and_then(devices::bytes_of)) }
}

/// `CUresult cuDeviceGetUuid_v2(CUuuid *, CUdevice)`.
///
/// # Safety
/// As the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetUuid_v2(uuid: *mut [u8; 16], device: c_int) -> c_int {
    let own = text(number(device), "uuid");
    // SAFETY: the caller's.
    unsafe { put(uuid, own.as_deref().and_then(devices::bytes_of)) }
}

/// `CUresult cuDeviceTotalMem_v2(size_t *, CUdevice)`.
///
/// # Safety
/// As the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceTotalMem_v2(bytes: *mut usize, device: c_int) -> c_int {
    let memory = devices::fact(number(device), "memory_bytes").and_then(|memory| memory.as_u64());
    // SAFETY: the caller's.
    unsafe { put(bytes, memory.and_then(|memory| usize::try_from(memory).ok())) }
}

/// `CUresult cuDeviceGetAttribute(int *, CUdevice_attribute, CUdevice)`: one multiprocessor, whatever is asked.
///
/// # Safety
/// As the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDeviceGetAttribute(value: *mut c_int, _attribute: c_int, device: c_int) -> c_int {
    let known = number(device) < devices::count();
    // SAFETY: the caller's.
    unsafe { put(value, known.then_some(1)) }
}

/// `CUresult cuDevicePrimaryCtxRetain(CUcontext *, CUdevice)`.
///
/// # Safety
/// As the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuDevicePrimaryCtxRetain(context: *mut *mut c_void, device: c_int) -> c_int {
    let known = number(device) < devices::count();
    // SAFETY: the caller's.
    unsafe { put(context, known.then(|| std::ptr::without_provenance_mut(number(device) + 1))) }
}

/// `CUresult cuCtxSetCurrent(CUcontext)`.
#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSetCurrent(context: *mut c_void) -> c_int {
    let Some(device) = context.addr().checked_sub(1) else { return INVALID };
    CURRENT.set(device);
    0
}

/// `CUresult cuModuleLoadData(CUmodule *, const void *)`.
///
/// # Safety
/// As the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuModuleLoadData(module: *mut *mut c_void, image: *const c_void) -> c_int {
    let given = !image.is_null();
    // SAFETY: the caller's.
    unsafe { put(module, given.then(|| std::ptr::without_provenance_mut(1))) }
}

/// `CUresult cuModuleGetFunction(CUfunction *, CUmodule, const char *)`.
///
/// # Safety
/// As the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuModuleGetFunction(
    function: *mut *mut c_void,
    _module: *mut c_void,
    name: *const c_char,
) -> c_int {
    let given = !name.is_null();
    // SAFETY: the caller's.
    unsafe { put(function, given.then(|| std::ptr::without_provenance_mut(1))) }
}

/// `CUresult cuLaunchKernel(CUfunction, unsigned int × 7, CUstream, void **, void **)`.
///
/// # Safety
/// As the header says; the kernel has two parameters, of which the second is a number of 32 bits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuLaunchKernel(
    _function: *mut c_void,
    _grid_x: c_uint,
    _grid_y: c_uint,
    _grid_z: c_uint,
    _block_x: c_uint,
    _block_y: c_uint,
    _block_z: c_uint,
    _shared: c_uint,
    _stream: *mut c_void,
    parameters: *mut *mut c_void,
    _extra: *mut *mut c_void,
) -> c_int {
    if parameters.is_null() {
        return INVALID;
    }
    // SAFETY: the caller's.
    let turns = unsafe { (*parameters.add(1)).cast::<u32>().read() };
    devices::begin(CURRENT.get(), u64::from(turns.div_ceil(PACE)))
}

/// `CUresult cuCtxSynchronize(void)`.
#[unsafe(no_mangle)]
pub extern "C" fn cuCtxSynchronize() -> c_int {
    devices::wait(CURRENT.get())
}

/// `CUresult cuMemAlloc_v2(CUdeviceptr *, size_t)`; what is smaller than a page of a device's memory costs none.
///
/// # Safety
/// As the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuMemAlloc_v2(place: *mut u64, bytes: usize) -> c_int {
    let taken = if bytes < 4096 { 0 } else { devices::take(CURRENT.get(), bytes as u64) };
    // SAFETY: the caller's.
    if taken == 0 { unsafe { put(place, Some(4096)) } } else { taken }
}

/// `CUresult cuMemsetD8_v2(CUdeviceptr, unsigned char, size_t)`.
#[unsafe(no_mangle)]
pub extern "C" fn cuMemsetD8_v2(_place: u64, _value: u8, _bytes: usize) -> c_int {
    0
}

/// `CUresult cuGetErrorName(CUresult, const char **)`.
///
/// # Safety
/// As the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cuGetErrorName(code: c_int, name: *mut *const c_char) -> c_int {
    let words: &CStr = match code {
        0 => c"CUDA_SUCCESS",
        INVALID => c"CUDA_ERROR_INVALID_VALUE",
        devices::OUT_OF_MEMORY => c"CUDA_ERROR_OUT_OF_MEMORY",
        NO_DEVICE => c"CUDA_ERROR_NO_DEVICE",
        devices::LAUNCH_FAILED => c"CUDA_ERROR_LAUNCH_FAILED",
        _ => return INVALID,
    };
    // SAFETY: the caller's; the text lasts.
    unsafe { put(name, Some(words.as_ptr())) }
}

/// `nvmlReturn_t nvmlInit_v2(void)`; 9 is `NVML_ERROR_DRIVER_NOT_LOADED`.
#[unsafe(no_mangle)]
pub extern "C" fn nvmlInit_v2() -> c_int {
    if devices::find() == 0 { 9 } else { 0 }
}

/// `nvmlReturn_t nvmlDeviceGetHandleByUUID(const char *, nvmlDevice_t *)`: of a device, or of one that a device is a part of;
/// 6 is `NVML_ERROR_NOT_FOUND`. What is told of a handle is told of the device whose number it holds.
///
/// # Safety
/// As the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetHandleByUUID(name: *const c_char, device: *mut *mut c_void) -> c_int {
    if name.is_null() {
        return 2;
    }
    // SAFETY: the caller's.
    let name = unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned();
    let is = |key: &str| (0..devices::count()).position(|number| text(number, key).as_deref() == Some(&name));
    let found = is("uuid").map(|number| number + 1).or_else(|| is("parent").map(|number| number + WHOLE));
    // SAFETY: the caller's.
    let put = unsafe { put(device, found.map(std::ptr::without_provenance_mut)) };
    if put == NO_DEVICE { 6 } else { put }
}

/// `nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t, nvmlMemory_t *)`: all, and nothing of how much is in use.
///
/// # Safety
/// As the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetMemoryInfo(device: *mut c_void, memory: *mut [u64; 3]) -> c_int {
    let handle = device.addr();
    let (number, key) = match handle.checked_sub(WHOLE) {
        Some(number) => (number, "physical_memory_bytes"),
        None => (handle.wrapping_sub(1), "memory_bytes"),
    };
    let all = devices::fact(number, key).and_then(|memory| memory.as_u64());
    // SAFETY: the caller's.
    unsafe { put(memory, all.map(|all| [all, 0, 0])) }
}

/// `nvmlReturn_t nvmlSystemGetDriverVersion(char *, unsigned int)`.
///
/// # Safety
/// As the header says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlSystemGetDriverVersion(version: *mut c_char, length: c_uint) -> c_int {
    let Some(told) = text(0, "driver_version") else { return 9 };
    // SAFETY: the caller's.
    unsafe { put_text(version, usize::try_from(length).unwrap_or(0), &told) }
}
