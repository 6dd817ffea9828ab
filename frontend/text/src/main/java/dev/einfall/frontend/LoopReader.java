package dev.einfall.frontend;

import dev.einfall.grammar.LoopsLexer;
import dev.einfall.grammar.LoopsParser;
import dev.einfall.grammar.LoopsParser.*;
import dev.einfall.ir.Source;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.KernelPlan;
import dev.einfall.ir.loop.Stmt;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.antlr.v4.runtime.CommonTokenStream;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.tree.TerminalNode;

/// Reads the text of the loop level, which `LoopPrinter` writes.
public final class LoopReader {
  private final LoopErrors errors;
  private final Map<String, Kernel> kernels = new LinkedHashMap<>();

  private LoopReader(LoopErrors errors) {
    this.errors = errors;
  }

  /// The kernels and the plan of `source`.
  ///
  /// @throws dev.einfall.ir.CompileException with every error in the text
  public static LoopFile read(Source source) {
    Diagnostics diagnostics = new Diagnostics();
    LoopsLexer lexer = new LoopsLexer(Characters.of(source, 0, source.text().length()));
    CommonTokenStream tokens = new CommonTokenStream(lexer);
    tokens.fill();
    Nesting.check(source, tokens.getTokens(), diagnostics);
    diagnostics.throwIfAny();
    LoopsParser parser = new LoopsParser(tokens);
    SyntaxErrors.handle(parser, source, diagnostics);
    FileContext tree = parser.file();
    diagnostics.throwIfAny();
    LoopFile file = new LoopReader(new LoopErrors(source, diagnostics)).file(tree);
    diagnostics.throwIfAny();
    return file;
  }

  private LoopFile file(FileContext tree) {
    tree.kernel().forEach(kernel -> errors.attempt(() -> kernel(kernel)));
    List<KernelPlan> plans = new ArrayList<>();
    if (tree.plan() != null) {
      errors.attempt(() -> plans.add(plan(tree.plan())));
    }
    return new LoopFile(List.copyOf(kernels.values()), plans.stream().findFirst());
  }

  private void kernel(KernelContext tree) {
    String name = tree.ID().getText();
    if (kernels.containsKey(name)) {
      throw errors.reject(tree.ID(), "a second kernel is called `" + name + "`");
    }
    LoopScope scope = new LoopScope();
    LoopStatements statements = new LoopStatements(errors);
    List<Buffer> parameters = tree.declaration().stream()
        .map(declaration -> statements.declare(declaration, Buffer.Space.GLOBAL, scope))
        .toList();
    Stmt body = statements.block(tree.block(), scope);
    kernels.put(name, new Kernel(name, parameters, body, errors.span(tree)));
  }

  private KernelPlan plan(PlanContext tree) {
    LoopScope scope = new LoopScope();
    List<Buffer> inputs = new ArrayList<>();
    List<KernelPlan.Weight> weights = new ArrayList<>();
    List<Buffer> constants = new ArrayList<>();
    List<KernelPlan.Launch> setup = new ArrayList<>();
    List<KernelPlan.Launch> launches = new ArrayList<>();
    List<KernelPlan.Output> outputs = new ArrayList<>();
    List<KernelPlan.Placement> placements = new ArrayList<>();
    long bytes = 0;
    for (ItemContext item : tree.item()) {
      switch (item) {
        case InputContext input -> inputs.add(global(input.declaration(), scope));
        case WeightContext weight ->
            weights.add(new KernelPlan.Weight(global(weight.declaration(), scope), string(weight.STRING())));
        case ConstantContext constant -> constants.add(global(constant.declaration(), scope));
        case OutputContext output ->
            outputs.add(new KernelPlan.Output(string(output.STRING()), global(output.declaration(), scope),
                Optional.ofNullable(output.ID()).map(input -> errors.buffer(input, scope))));
        case PlacementContext placement -> placements.add(
            new KernelPlan.Placement(global(placement.declaration(), scope), errors.whole(placement.INT())));
        case ArenaContext arena -> bytes = errors.whole(arena.INT());
        case SetupContext launch -> setup.add(launch(launch.launch(), scope));
        case RunContext launch -> launches.add(launch(launch.launch(), scope));
        default -> throw LoopErrors.unknown(item);
      }
    }
    return new KernelPlan(tree.ID().getText(), inputs, weights, constants, setup, launches, outputs,
        new KernelPlan.Arena(placements, bytes));
  }

  private Buffer global(DeclarationContext declaration, LoopScope scope) {
    return new LoopStatements(errors).declare(declaration, Buffer.Space.GLOBAL, scope);
  }

  private KernelPlan.Launch launch(LaunchContext tree, LoopScope scope) {
    List<TerminalNode> names = tree.ID();
    Kernel kernel = Optional.ofNullable(kernels.get(names.getFirst().getText())).orElseThrow(() -> errors.reject(
        names.getFirst(), "no kernel is called `" + names.getFirst().getText() + "`"
            + Spelling.suggestion(names.getFirst().getText(), kernels.keySet())));
    List<Buffer> arguments = names.subList(1, names.size()).stream()
        .map(name -> errors.buffer(name, scope))
        .toList();
    return errors.checked(tree, () -> new KernelPlan.Launch(kernel, arguments));
  }

  private static String string(TerminalNode node) {
    return LoopErrors.string(node);
  }

  /// The token's text without quotes and escapes.
  static String unquoted(Token token) {
    String text = token.getText();
    StringBuilder characters = new StringBuilder();
    for (int i = 1; i < text.length() - 1; i++) {
      boolean isEscape = text.charAt(i) == '\\';
      i += isEscape ? 1 : 0;
      characters.append(isEscape && text.charAt(i) == 'n' ? '\n' : text.charAt(i));
    }
    return characters.toString();
  }
}
