package dev.einfall.command.page;

import dev.einfall.ir.Diagnostic;
import dev.einfall.ir.cascade.Cascade;
import dev.einfall.passes.Pass;
import dev.einfall.passes.PassRunner;
import dev.einfall.passes.cascade.BindSizes;
import java.util.ArrayList;
import java.util.List;

/// A cascade after passes, with what each of them did.
///
/// @param remarks what the passes declined, and why
public record PassReport(Cascade result, List<Effect> effects, List<Diagnostic> remarks) {

  /// What one pass did, in words; empty if it did nothing.
  public record Effect(String pass, String what) {}

  public PassReport {
    effects = List.copyOf(effects);
    remarks = List.copyOf(remarks);
  }

  /// Runs `passes` on `cascade`, one after the other. That sizes become numbers is no effect worth telling.
  public static PassReport of(Cascade cascade, List<Pass.OnCascade> passes) {
    List<Effect> effects = new ArrayList<>();
    List<Diagnostic> remarks = new ArrayList<>();
    PassRunner runner = new PassRunner(_ -> {}, remarks::add);
    Cascade current = cascade;
    for (Pass.OnCascade pass : passes) {
      Cascade next = runner.run(pass, current);
      if (!(pass instanceof BindSizes)) {
        effects.add(new Effect(pass.name(), difference(current, next)));
      }
      current = next;
    }
    return new PassReport(current, effects, remarks);
  }

  private static String difference(Cascade before, Cascade after) {
    List<String> differences = new ArrayList<>();
    int old = before.definitions().size();
    int now = after.definitions().size();
    long kept = after.definitions().stream().filter(before.definitions()::contains).count();
    if (old != now) {
      differences.add(old + " → " + now + " Einsums");
    } else if (kept < now) {
      differences.add(count(now - kept, "Einsum") + " rewritten");
    }
    int groups = after.mapping().groups().size() - before.mapping().groups().size();
    if (groups > 0) {
      differences.add(count(groups, "kernel") + " of several Einsums");
    }
    int nests = after.mapping().nests().size() - before.mapping().nests().size();
    if (nests > 0) {
      differences.add("loops chosen for " + count(nests, "Einsum"));
    }
    return String.join(", ", differences);
  }

  private static String count(long count, String what) {
    return count + " " + what + (count == 1 ? "" : "s");
  }
}
