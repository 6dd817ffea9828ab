package dev.einfall.backends.jvm;

import dev.einfall.backends.kernel.Cell;
import dev.einfall.backends.kernel.ScratchLayout;
import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Var;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.objectweb.asm.Opcodes;

/// Where one generated method finds things: the local variable of each.
final class Frame {
  /// The bits that addresses have on every machine that HotSpot runs on.
  private static final long ADDRESSES = (1L << 57) - 1;

  private final Code code;
  private final ScratchLayout layout;
  private final Map<Buffer, Integer> addresses = new IdentityHashMap<>();
  private final Map<Var, Integer> variables = new IdentityHashMap<>();
  private final Set<Var> ofBytes = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Map<Cell, Integer> cells = new LinkedHashMap<>();
  private final Set<Var> neverNegative;
  private final Map<Buffer, Long> lowest;
  private int scratch = -1;

  /// @param neverNegative the variables of which [#tellSign] says so
  /// @param lowest what [#lowest] gives
  Frame(Code code, ScratchLayout layout, Set<Var> neverNegative, Map<Buffer, Long> lowest) {
    this.code = code;
    this.layout = layout;
    this.neverNegative = neverNegative;
    this.lowest = lowest;
  }

  Code code() {
    return code;
  }

  void bindScratch(int slot) {
    scratch = slot;
  }

  void bind(Buffer buffer, int slot) {
    addresses.put(buffer, slot);
  }

  void bind(Var var, int slot) {
    variables.put(var, slot);
  }

  /// The same for a vector of `i32` of which the local variable holds the bytes, as a vector of these.
  void bindBytes(Var var, int slot) {
    bind(var, slot);
    ofBytes.add(var);
  }

  boolean isOfBytes(Var var) {
    return ofBytes.contains(var);
  }

  /// Tells C2 that `var`, which is in its local variable, is not negative, if it never is.
  void tellSign(Var var) {
    if (neverNegative.contains(var)) {
      code.load(JvmType.INT, slot(var));
      code.constant(Integer.MAX_VALUE);
      code.op(Opcodes.IAND);
      code.store(JvmType.INT, slot(var));
    }
  }

  /// Tells C2 that the address of `buffer`, which is in its local variable, is not negative and not near the largest number,
  /// so that it sees that no access leaves the segment. The checks would not only cost: C2 moves them before loops, where
  /// they are for elements that a branch guards, fail, and throw the code away.
  void tellBound(Buffer buffer) {
    bound(address(buffer));
  }

  /// What [#tellBound] tells, of the address of the scratch memory.
  void tellScratchBound() {
    bound(scratch);
  }

  private void bound(int slot) {
    code.load(JvmType.LONG, slot);
    boundAddress();
    code.store(JvmType.LONG, slot);
  }

  /// What [#tellBound] tells, of the address on the stack.
  void boundAddress() {
    code.constant(ADDRESSES);
    code.op(Opcodes.LAND);
  }

  /// The least offset in bytes from a sum of counters to an element of `buffer`; 0 if none is negative.
  long lowest(Buffer buffer) {
    return lowest.getOrDefault(buffer, 0L);
  }

  void bind(Cell cell, int slot) {
    cells.put(cell, slot);
  }

  /// The local variable that holds the address which [#offset] counts from.
  int address(Buffer buffer) {
    return isInScratch(buffer) ? scratch : require(addresses.get(buffer), buffer);
  }

  /// The distance in bytes from [#address] to the buffer's first element.
  long offset(Buffer buffer) {
    return isInScratch(buffer) ? layout.offsets().get(buffer) : 0;
  }

  /// Whether `buffer` is a local one of this method's scratch memory. What the iterations of a parallel loop share lies in that of
  /// the kernel's run, and comes by an address of its own.
  boolean isInScratch(Buffer buffer) {
    return buffer.space() == Buffer.Space.LOCAL && !addresses.containsKey(buffer);
  }

  int slot(Var var) {
    return require(variables.get(var), var);
  }

  int slot(Cell cell) {
    return require(cells.get(cell), cell);
  }

  private static int require(Integer slot, Object what) {
    if (slot == null) {
      throw new InternalException("no local variable holds " + what);
    }
    return slot;
  }
}
