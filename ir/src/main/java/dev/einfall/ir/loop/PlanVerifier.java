package dev.einfall.ir.loop;

import dev.einfall.ir.InternalException;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/// Checks a plan: every launch's arguments fit its kernel's parameters and none that is written is passed twice; every
/// buffer has one place, and is written before it is read; an input that an output starts as is used for nothing else; inputs, weights and, after the setup, constants are only
/// read; buffers of the arena are aligned, inside it, and overlap only when they do not live at the same time: from the first
/// to the last launch that touches them. Each distinct kernel is checked by [KernelVerifier].
public final class PlanVerifier {
  private static final int ALIGNMENT = 64;

  /// What the plan provides a buffer for.
  private enum Role { INPUT, WEIGHT, CONSTANT, OUTPUT, ARENA }

  private final KernelPlan plan;
  private final Map<Buffer, Role> roles = new LinkedHashMap<>();
  private final Set<Buffer> written = new LinkedHashSet<>();
  private final Map<Buffer, Interval> lives = new LinkedHashMap<>();

  private PlanVerifier(KernelPlan plan) {
    this.plan = plan;
  }

  /// @throws InternalException that names the launch or the buffer at fault
  public static void verify(KernelPlan plan) {
    PlanVerifier verifier = new PlanVerifier(plan);
    verifier.run();
    verifier.checkKernels();
  }

  /// As [#verify], for a plan whose kernels have been verified.
  public static void verifyAroundKernels(KernelPlan plan) {
    new PlanVerifier(plan).run();
  }

  private void run() {
    assignRoles();
    roles.keySet().stream().filter(buffer -> buffer.elements() == 0).forEach(written::add);
    provide(Role.WEIGHT);
    plan.setup().forEach(launch -> check(launch, Set.of(Role.CONSTANT)));
    roles.forEach((buffer, role) -> require(role != Role.CONSTANT || written.contains(buffer),
        "constant " + buffer + " is not written by the setup"));
    provide(Role.INPUT);
    plan.outputs().forEach(this::checkStart);
    plan.launches().forEach(launch -> check(launch, Set.of(Role.OUTPUT, Role.ARENA)));
    for (KernelPlan.Output output : plan.outputs()) {
      require(written.contains(output.buffer()), "output " + output.buffer() + " is not written");
    }
    checkArena();
  }

  private void checkStart(KernelPlan.Output output) {
    output.start().ifPresent(input -> {
      require(roles.get(input) == Role.INPUT && input.type() == output.buffer().type() && input.elements() == output.buffer().elements(),
          output.buffer() + " starts as " + input + ", which is no such input");
      boolean used = plan.launches().stream().anyMatch(launch -> launch.arguments().contains(input));
      long started = plan.outputs().stream().filter(other -> other.start().equals(output.start())).count();
      require(!used && started == 1, output.buffer() + " starts as " + input + ", which is used elsewhere too");
      written.add(output.buffer());
    });
  }

  private void assignRoles() {
    plan.inputs().forEach(buffer -> assign(buffer, Role.INPUT));
    plan.weights().forEach(weight -> assign(weight.buffer(), Role.WEIGHT));
    plan.constants().forEach(buffer -> assign(buffer, Role.CONSTANT));
    plan.outputs().forEach(output -> assign(output.buffer(), Role.OUTPUT));
    plan.arena().placements().forEach(placement -> assign(placement.buffer(), Role.ARENA));
  }

  private void assign(Buffer buffer, Role role) {
    require(buffer.space() == Buffer.Space.GLOBAL, buffer + " is not global");
    Role other = roles.put(buffer, role);
    require(other == null, buffer + " is both " + other + " and " + role);
  }

  private void provide(Role provided) {
    roles.forEach((buffer, role) -> {
      if (role == provided) {
        written.add(buffer);
      }
    });
  }

  private void check(KernelPlan.Launch launch, Set<Role> writable) {
    String name = launch.kernel().name();
    Access access = Access.of(launch);
    for (int i = 0; i < launch.arguments().size(); i++) {
      Buffer argument = launch.arguments().get(i);
      Buffer parameter = launch.kernel().parameters().get(i);
      require(roles.containsKey(argument), name + " is launched with " + argument + ", which has no memory");
      require(argument.type() == parameter.type() && argument.elements() == parameter.elements(),
          name + " is launched with " + argument + " for its parameter " + parameter);
    }
    for (Buffer buffer : access.stored) {
      require(writable.contains(roles.get(buffer)), name + " stores to the " + roles.get(buffer) + " " + buffer);
      long passed = launch.arguments().stream().filter(argument -> argument == buffer).count();
      require(passed == 1, name + " stores to " + buffer + ", which is passed twice");
    }
    for (Buffer buffer : access.loaded) {
      require(written.contains(buffer) || access.stored.contains(buffer), name + " reads " + buffer + " before it is written");
    }
    written.addAll(access.stored);
  }

  private void checkKernels() {
    Set<Kernel> kernels = Collections.newSetFromMap(new IdentityHashMap<>());
    Stream.concat(plan.setup().stream(), plan.launches().stream()).map(KernelPlan.Launch::kernel)
        .filter(kernels::add).forEach(KernelVerifier::verify);
  }

  private void checkArena() {
    List<KernelPlan.Placement> placements = plan.arena().placements();
    for (KernelPlan.Placement placement : placements) {
      require(placement.offset() % ALIGNMENT == 0, placement.buffer() + " at " + placement.offset() + " is not aligned");
      require(placement.offset() >= 0 && end(placement) <= plan.arena().bytes(),
          placement.buffer() + " at " + placement.offset() + " leaves the arena of " + plan.arena().bytes() + " bytes");
    }
    for (int i = 0; i < plan.launches().size(); i++) {
      Interval now = Interval.of(i);
      plan.launches().get(i).arguments().forEach(buffer -> lives.merge(buffer, now, Interval::union));
    }
    for (int i = 0; i < placements.size(); i++) {
      for (int j = 0; j < i; j++) {
        requireApart(placements.get(j), placements.get(i));
      }
    }
  }

  private void requireApart(KernelPlan.Placement a, KernelPlan.Placement b) {
    boolean sameMemory = a.offset() < end(b) && b.offset() < end(a);
    boolean sameTime = lives.containsKey(a.buffer()) && lives.containsKey(b.buffer())
        && lives.get(a.buffer()).meets(lives.get(b.buffer()));
    require(!sameMemory || !sameTime, a.buffer() + " and " + b.buffer() + " live at the same time in the same memory");
  }

  private static long end(KernelPlan.Placement placement) {
    return placement.offset() + placement.buffer().bytes();
  }

  private void require(boolean holds, String problem) {
    if (!holds) {
      throw new InternalException("plan " + plan.name() + ": " + problem);
    }
  }

  /// The buffers of the plan that a launch loads from and stores to.
  private record Access(Set<Buffer> loaded, Set<Buffer> stored) {
    static Access of(KernelPlan.Launch launch) {
      Access access = new Access(new LinkedHashSet<>(), new LinkedHashSet<>());
      Map<Buffer, Buffer> arguments = new LinkedHashMap<>();
      for (int i = 0; i < launch.arguments().size(); i++) {
        arguments.put(launch.kernel().parameters().get(i), launch.arguments().get(i));
      }
      launch.kernel().body().nodes().forEach(statement -> access.add(statement, arguments));
      return access;
    }

    private void add(Stmt statement, Map<Buffer, Buffer> arguments) {
      if (statement instanceof Stmt.Store store && arguments.containsKey(store.buffer())) {
        stored.add(arguments.get(store.buffer()));
      }
      statement.exprs().flatMap(Expr::nodes).forEach(expr -> {
        if (expr instanceof Expr.Load load && arguments.containsKey(load.buffer())) {
          loaded.add(arguments.get(load.buffer()));
        }
      });
    }
  }
}
