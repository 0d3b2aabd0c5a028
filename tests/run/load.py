# A load of somebody else's: Python, and the driver's library by ctypes. Its first argument says how it lies.
import ctypes, json, sys, time

lie, task = sys.argv[1], sys.argv[2]


def say(line):
    print(json.dumps(line), flush=True)


def call(name, *arguments):
    code = getattr(driver, name)(*arguments)
    if code != 0:
        say({"error": f"{name} says {code}"})
        sys.exit(1)


driver = ctypes.CDLL("libcuda.so.1")
call("cuInit", 0)
uuid, memory = (ctypes.c_ubyte * 16)(), ctypes.c_size_t()
call("cuDeviceGetUuid", uuid, 0)
call("cuDeviceTotalMem_v2", ctypes.byref(memory), 0)
digits = bytes(uuid).hex()
name = "GPU-" + "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])
if lie == "stranger":
    name = "GPU-00000000-0000-0000-0000-000000000000"
say({"device": {"uuid": name, "memory_bytes": memory.value}})
context = ctypes.c_void_p()
call("cuDevicePrimaryCtxRetain", ctypes.byref(context), 0)
call("cuCtxSetCurrent", context)
if task == "work":
    place, turns = ctypes.c_uint64(4096), ctypes.c_uint32(100 << 14)
    parameters = (ctypes.c_void_p * 2)(ctypes.addressof(place), ctypes.addressof(turns))
    begun, busy = time.monotonic(), 0.0
    say({"busy_milliseconds": 0})
    while lie != "short" or time.monotonic() - begun < 0.3:
        before = time.monotonic()
        if lie == "idle":
            time.sleep(0.1)
        else:
            call("cuLaunchKernel", ctypes.c_void_p(1), 1, 1, 1, 1, 1, 1, 0, None, parameters, None)
            call("cuCtxSynchronize")
        busy += time.monotonic() - before
        say({"busy_milliseconds": int(busy * 1000)})
if task == "hold":
    held = ctypes.c_uint64()
    call("cuMemAlloc_v2", ctypes.byref(held), ctypes.c_size_t(int(sys.argv[3])))
    say({"held_bytes": int(sys.argv[3])})
    time.sleep(100000)
