package dev.einfall.runtime.device;

import dev.einfall.ir.CompileException;
import dev.einfall.ir.InternalException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/// The driver of NVIDIA's GPUs: the functions of its library, called by Java's foreign functions. Handles, addresses and sizes are `long`.
///
/// Each method calls one function and throws a [DeviceException] if that does not give `CUDA_SUCCESS`.
final class CudaDriver {
  /// The first version whose functions have all that is called, and for which generated code is: 11.8.
  private static final int LEAST_VERSION = 11080;
  private static final int NO_DEVICE = 100;
  private static final MemoryLayout INT = ValueLayout.JAVA_INT;
  private static final MemoryLayout LONG = ValueLayout.JAVA_LONG;
  private static final MethodHandle I = handle(INT);
  private static final MethodHandle L = handle(LONG);
  private static final MethodHandle IL = handle(INT, LONG);
  private static final MethodHandle LI = handle(LONG, INT);
  private static final MethodHandle LL = handle(LONG, LONG);
  private static final MethodHandle LII = handle(LONG, INT, INT);
  private static final MethodHandle LLL = handle(LONG, LONG, LONG);
  private static final MethodHandle LILL = handle(LONG, INT, LONG, LONG);
  private static final MethodHandle LLLL = handle(LONG, LONG, LONG, LONG);
  private static final MethodHandle LLILL = handle(LONG, LONG, INT, LONG, LONG);
  private static final MethodHandle LAUNCH = handle(LONG, INT, INT, INT, INT, INT, INT, INT, LONG, LONG, LONG);

  private final String library;
  private final Map<CudaFunction, MemorySegment> functions;
  private final int version;

  private CudaDriver(String library, Map<CudaFunction, MemorySegment> functions) {
    this.library = library;
    this.functions = functions;
    this.version = version();
  }

  @SuppressWarnings("restricted") // The functions are those that CUDA declares.
  private static MethodHandle handle(MemoryLayout... parameters) {
    return Linker.nativeLinker().downcallHandle(FunctionDescriptor.of(ValueLayout.JAVA_INT, parameters));
  }

  /// The driver in `library`, ready to be used. It stays loaded: it has threads of its own.
  ///
  /// @throws CompileException when there is no such library, it is too old, or it finds no device
  static CudaDriver load(String library) {
    SymbolLookup symbols = open(library);
    // What every version has tells which one it is, before something is missed that only later ones have.
    Map<CudaFunction, MemorySegment> functions = new EnumMap<>(CudaFunction.class);
    require(symbols, library, CudaFunction.DRIVER_GET_VERSION, functions, "it is no driver of CUDA");
    CudaDriver bare = new CudaDriver(library, functions);
    if (bare.version < LEAST_VERSION) {
      throw CompileException.of("the backend cuda needs a driver for CUDA " + text(LEAST_VERSION) + " or newer, but " + library + " is for CUDA "
          + text(bare.version) + ": install a newer driver of NVIDIA's GPUs");
    }
    for (CudaFunction function : CudaFunction.values()) {
      require(symbols, library, function, functions, "it says that it is for CUDA " + text(bare.version));
    }
    CudaDriver driver = new CudaDriver(library, functions);
    driver.initialize();
    return driver;
  }

  @SuppressWarnings("restricted") // The library is the driver that the options name.
  private static SymbolLookup open(String library) {
    try {
      return SymbolLookup.libraryLookup(library, Arena.global());
    } catch (IllegalArgumentException _) {
      throw CompileException.of("the backend cuda needs a GPU of NVIDIA and its driver, but the driver's library " + library
          + " cannot be loaded: install the driver, or take the backend jvm or c");
    }
  }

  private static void require(SymbolLookup symbols, String library, CudaFunction function, Map<CudaFunction, MemorySegment> functions, String version) {
    Optional<MemorySegment> found = symbols.find(function.symbol());
    functions.put(function, found.orElseThrow(() -> CompileException.of("the backend cuda cannot use the driver's library " + library
        + ", which has no function " + function.symbol() + "; " + version)));
  }

  private void initialize() {
    int result = i(CudaFunction.INIT, 0);
    if (result != 0) {
      throw noDevice(result == NO_DEVICE ? "finds none" : "says " + describe(result));
    }
  }

  private CompileException noDevice(String why) {
    return CompileException.of("the backend cuda needs a GPU of NVIDIA, but the driver " + library + " " + why
        + ": see whether `nvidia-smi` lists one, or take the backend jvm or c");
  }

  private int version() {
    return out(CudaFunction.DRIVER_GET_VERSION, "the driver " + library, place -> l(CudaFunction.DRIVER_GET_VERSION, place)).asInt();
  }

  /// The version of CUDA that the driver is for, such as `12.4`.
  String versionText() {
    return text(version);
  }

  private static String text(int version) {
    return version / 1000 + "." + version % 1000 / 10;
  }

  /// The handle of device `number`.
  ///
  /// @throws CompileException when there is none
  int device(int number) {
    int count = out(CudaFunction.DEVICE_GET_COUNT, "the driver", place -> l(CudaFunction.DEVICE_GET_COUNT, place)).asInt();
    if (count == 0) {
      throw noDevice("finds none");
    }
    if (number >= count) {
      throw CompileException.of("there is no device " + number + ": the driver " + library + " has "
          + (count == 1 ? "one device, which is 0" : count + " devices, of which 0 is the first"));
    }
    return out(CudaFunction.DEVICE_GET, "device " + number, place -> li(CudaFunction.DEVICE_GET, place, number)).asInt();
  }

  String deviceName(int device) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocate(256);
      check(CudaFunction.DEVICE_GET_NAME, lii(CudaFunction.DEVICE_GET_NAME, name.address(), 256, device), "device " + device);
      return name.getString(0);
    }
  }

  int deviceAttribute(int device, int attribute) {
    return out(CudaFunction.DEVICE_GET_ATTRIBUTE, "device " + device, place -> lii(CudaFunction.DEVICE_GET_ATTRIBUTE, place, attribute, device)).asInt();
  }

  /// What a function stores where a pointer tells it to.
  record Out(long bits) {
    int asInt() {
      return (int) bits;
    }

    float asFloat() {
      return Float.intBitsToFloat((int) bits);
    }
  }

  /// A call of a function with a place for what it gives.
  interface Filling {
    int call(long place);
  }

  /// What a call gives. `about` is what it is about.
  Out out(CudaFunction function, String about, Filling call) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment place = arena.allocate(ValueLayout.JAVA_LONG);
      check(function, call.call(place.address()), about);
      return new Out(place.get(ValueLayout.JAVA_LONG, 0));
    }
  }

  void check(CudaFunction function, int result, String about) {
    if (result != 0) {
      throw new DeviceException(name(result), describe(result) + " in " + function + " of " + about);
    }
  }

  /// As [#check], with more to say.
  void check(CudaFunction function, int result, String about, String more) {
    if (result != 0) {
      throw new DeviceException(name(result), describe(result) + " in " + function + " of " + about + more);
    }
  }

  private String describe(int result) {
    return name(result) + " (" + text(CudaFunction.GET_ERROR_STRING, result) + ")";
  }

  private String name(int result) {
    return text(CudaFunction.GET_ERROR_NAME, result);
  }

  @SuppressWarnings("restricted") // The driver's texts end in a zero.
  private String text(CudaFunction function, int result) {
    if (!functions.containsKey(function)) {
      return "error " + result;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment place = arena.allocate(ValueLayout.JAVA_LONG);
      int failed = il(function, result, place.address());
      long text = place.get(ValueLayout.JAVA_LONG, 0);
      return failed != 0 || text == 0 ? "error " + result : MemorySegment.ofAddress(text).reinterpret(Long.MAX_VALUE).getString(0);
    }
  }

  int i(CudaFunction function, int a) {
    try {
      return (int) I.invokeExact(functions.get(function), a);
    } catch (Throwable e) {
      throw failed(function, e);
    }
  }

  int l(CudaFunction function, long a) {
    try {
      return (int) L.invokeExact(functions.get(function), a);
    } catch (Throwable e) {
      throw failed(function, e);
    }
  }

  int il(CudaFunction function, int a, long b) {
    try {
      return (int) IL.invokeExact(functions.get(function), a, b);
    } catch (Throwable e) {
      throw failed(function, e);
    }
  }

  int li(CudaFunction function, long a, int b) {
    try {
      return (int) LI.invokeExact(functions.get(function), a, b);
    } catch (Throwable e) {
      throw failed(function, e);
    }
  }

  int ll(CudaFunction function, long a, long b) {
    try {
      return (int) LL.invokeExact(functions.get(function), a, b);
    } catch (Throwable e) {
      throw failed(function, e);
    }
  }

  int lii(CudaFunction function, long a, int b, int c) {
    try {
      return (int) LII.invokeExact(functions.get(function), a, b, c);
    } catch (Throwable e) {
      throw failed(function, e);
    }
  }

  int lll(CudaFunction function, long a, long b, long c) {
    try {
      return (int) LLL.invokeExact(functions.get(function), a, b, c);
    } catch (Throwable e) {
      throw failed(function, e);
    }
  }

  int lill(CudaFunction function, long a, int b, long c, long d) {
    try {
      return (int) LILL.invokeExact(functions.get(function), a, b, c, d);
    } catch (Throwable e) {
      throw failed(function, e);
    }
  }

  int llll(CudaFunction function, long a, long b, long c, long d) {
    try {
      return (int) LLLL.invokeExact(functions.get(function), a, b, c, d);
    } catch (Throwable e) {
      throw failed(function, e);
    }
  }

  int llill(CudaFunction function, long a, long b, int c, long d, long e) {
    try {
      return (int) LLILL.invokeExact(functions.get(function), a, b, c, d, e);
    } catch (Throwable t) {
      throw failed(function, t);
    }
  }

  /// Launches a kernel in a line of blocks, each a line of threads.
  int launch(long kernel, int blocks, int threads, int sharedBytes, long stream, long parameters) {
    try {
      return (int) LAUNCH.invokeExact(functions.get(CudaFunction.LAUNCH_KERNEL), kernel, blocks, 1, 1, threads, 1, 1, sharedBytes, stream, parameters, 0L);
    } catch (Throwable e) {
      throw failed(CudaFunction.LAUNCH_KERNEL, e);
    }
  }

  private static InternalException failed(CudaFunction function, Throwable e) {
    return new InternalException("calling " + function, e);
  }
}
