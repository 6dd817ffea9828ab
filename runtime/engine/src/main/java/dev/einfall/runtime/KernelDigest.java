package dev.einfall.runtime;

import dev.einfall.ir.InternalException;
import dev.einfall.ir.loop.Buffer;
import dev.einfall.ir.loop.Expr;
import dev.einfall.ir.loop.Kernel;
import dev.einfall.ir.loop.LoopPrinter;
import dev.einfall.ir.loop.Stmt;
import dev.einfall.ir.loop.Var;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// A digest of the text of a kernel in which every name is replaced by a number. Kernels that do the same to their
/// parameters, such as those of the equal layers of a network, have the same.
final class KernelDigest {
  private final Map<Buffer, Buffer> buffers = new IdentityHashMap<>();
  private final Map<Var, Var> vars = new IdentityHashMap<>();

  private KernelDigest() {}

  static String of(Kernel kernel) {
    KernelDigest names = new KernelDigest();
    List<Buffer> parameters = kernel.parameters().stream().map(names::buffer).toList();
    return of(LoopPrinter.print(new Kernel("k", parameters, names.rename(kernel.body()), kernel.span())));
  }

  /// The digest of `text`.
  static String of(String text) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new InternalException("every JVM has SHA-256", e);
    }
  }

  private Stmt rename(Stmt statement) {
    return switch (statement) {
      case Stmt.Store(Buffer buffer, List<Expr> indices, Expr value) ->
          new Stmt.Store(buffer(buffer), indices.stream().map(this::rename).toList(), rename(value));
      case Stmt.Alloc(Buffer buffer, Stmt body) -> new Stmt.Alloc(buffer(buffer), rename(body));
      case Stmt.For loop ->
          new Stmt.For(var(loop.var()), rename(loop.extent()), loop.kind(), rename(loop.body()), loop.span());
      case Stmt.Let(Var var, Expr value, Stmt body) -> new Stmt.Let(var(var), rename(value), rename(body));
      default -> statement.mapChildren(this::rename, this::rename);
    };
  }

  private Expr rename(Expr expr) {
    return switch (expr) {
      case Expr.Ref(Var var) -> new Expr.Ref(var(var));
      case Expr.Load(Buffer buffer, List<Expr> indices) ->
          new Expr.Load(buffer(buffer), indices.stream().map(this::rename).toList());
      default -> expr.mapChildren(this::rename);
    };
  }

  private Buffer buffer(Buffer buffer) {
    return buffers.computeIfAbsent(buffer,
        _ -> new Buffer("b" + buffers.size(), buffer.type(), buffer.extents(), buffer.space()));
  }

  private Var var(Var var) {
    return vars.computeIfAbsent(var, _ -> new Var("v" + vars.size(), var.type()));
  }
}
