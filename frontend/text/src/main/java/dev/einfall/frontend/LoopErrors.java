package dev.einfall.frontend;

import dev.einfall.ir.InternalException;
import dev.einfall.ir.Source;
import dev.einfall.ir.Span;
import dev.einfall.ir.loop.Buffer;
import java.util.function.Supplier;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.tree.TerminalNode;

/// The places of loop text, and what can be wrong there.
final class LoopErrors {
  private final Source source;
  private final Diagnostics diagnostics;

  LoopErrors(Source source, Diagnostics diagnostics) {
    this.source = source;
    this.diagnostics = diagnostics;
  }

  Span span(ParserRuleContext tree) {
    int start = tree.getStart().getStartIndex();
    return new Span(source, start, Math.max(start, tree.getStop().getStopIndex() + 1));
  }

  private Span span(TerminalNode node) {
    return new Span(source, node.getSymbol().getStartIndex(), node.getSymbol().getStopIndex() + 1);
  }

  Diagnostics.Rejection reject(TerminalNode node, String message) {
    return diagnostics.reject(span(node), message);
  }

  Diagnostics.Rejection reject(ParserRuleContext tree, String message) {
    return diagnostics.reject(span(tree), message);
  }

  /// Does `work` as far as it goes without an error.
  void attempt(Runnable work) {
    try {
      work.run();
    } catch (Diagnostics.Rejection _) {
      // Reported.
    }
  }

  /// The node that `make` makes; its complaint about types, counts or lanes becomes an error at `tree`.
  <T> T checked(ParserRuleContext tree, Supplier<T> make) {
    try {
      return make.get();
    } catch (IllegalArgumentException wrong) {
      throw reject(tree, wrong.getMessage());
    } catch (ArithmeticException _) {
      throw reject(tree, "the numbers here are too large");
    }
  }

  Buffer buffer(TerminalNode name, LoopScope scope) {
    return scope.buffer(name.getText()).orElseThrow(() -> reject(name, "no buffer is called `" + name.getText() + "`"
        + Spelling.suggestion(name.getText(), scope.names())));
  }

  long whole(TerminalNode number) {
    return whole(number.getText(), span(number));
  }

  long whole(String digits, Span span) {
    try {
      return Long.parseLong(digits);
    } catch (NumberFormatException _) {
      throw diagnostics.reject(span, "this number does not fit an i64");
    }
  }

  int small(TerminalNode number) {
    long value = whole(number);
    if (value > Integer.MAX_VALUE) {
      throw reject(number, "this number does not fit an i32");
    }
    return (int) value;
  }

  static String string(TerminalNode node) {
    return LoopReader.unquoted(node.getSymbol());
  }

  /// The alternatives of a rule are not sealed in ANTLR's code, so the compiler cannot see that a switch has them all.
  static RuntimeException unknown(ParserRuleContext tree) {
    return new InternalException("no case for " + tree.getClass().getSimpleName());
  }
}
