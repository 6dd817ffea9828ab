package dev.einfall.passes.reduce;

import dev.einfall.passes.Decisions;
import dev.einfall.passes.Target;
import dev.einfall.passes.cascade.Exprs;
import java.util.ArrayList;
import java.util.List;

/// In which form a chain is computed.
sealed interface Forms {

  /// Whether a running form of `chain` may be worth a search.
  boolean areWorth(Chain chain, Ancestry ancestry);

  /// A running form that is not unlikely.
  Form first(Chain chain);

  /// The form for a chain that has a running form.
  ///
  /// @param coverage what the guards of the running form leave
  Form choose(Chain chain, Ancestry ancestry, Coverage coverage);

  /// The options of the pass that ask for it.
  String text();

  /// Always the same, where the rule of [Worth] says that it is worth it.
  ///
  /// @param tile how many elements a step takes
  /// @param parts how many parts of the rank are reduced side by side and then combined
  /// @param rowBytes a chain that stores no less is left alone where what it reads of one row takes no more
  record Given(int tile, int parts, int rowBytes) implements Forms {
    @Override
    public String text() {
      return "tile=" + tile + ", parts=" + parts + ", row-bytes=" + rowBytes;
    }

    @Override
    public boolean areWorth(Chain chain, Ancestry ancestry) {
      return new Worth(ancestry, tile, rowBytes).of(chain);
    }

    @Override
    public Form first(Chain chain) {
      return new Form(tile, parts);
    }

    @Override
    public Form choose(Chain chain, Ancestry ancestry, Coverage coverage) {
      return first(chain);
    }
  }

  /// The one that costs least, by [FormCosts].
  record ByCost(Target target, Decisions decisions) implements Forms {
    /// Smaller tiles are mostly corrections; larger ones do not stay near.
    private static final List<Integer> TILES = List.of(32, 64, 128, 256, 512, 1024);
    private static final List<Integer> PARTS_PER_THREAD = List.of(1, 2);
    /// What takes this many times as long as the plain form need not be looked for.
    private static final double FAR = 2;

    @Override
    public String text() {
      return "form=cheapest, vector-bytes=" + target.vectorBytes() + ", threads=" + target.threads();
    }

    @Override
    public boolean areWorth(Chain chain, Ancestry ancestry) {
      FormCosts costs = new FormCosts(target, ancestry, chain, Coverage.ALL);
      return decisions.forced().containsKey(subject(chain)) || alternatives(chain).stream()
          .anyMatch(form -> !form.isPlain() && costs.of(form) <= FAR * costs.of(Form.PLAIN));
    }

    @Override
    public Form first(Chain chain) {
      return new Form(2 * TILES.getFirst(), 1);
    }

    @Override
    public Form choose(Chain chain, Ancestry ancestry, Coverage coverage) {
      FormCosts costs = new FormCosts(target, ancestry, chain, coverage);
      return decisions.choose(subject(chain), alternatives(chain), costs::of);
    }

    private static String subject(Chain chain) {
      return "reduce-passes " + chain.members().getFirst().tensor().name();
    }

    private List<Form> alternatives(Chain chain) {
      List<Form> forms = new ArrayList<>(List.of(Form.PLAIN));
      for (int tile : TILES) {
        if (tile < chain.rank().size().value()) {
          forms.add(new Form(tile, 1));
        }
      }
      for (int perThread : PARTS_PER_THREAD) {
        int parts = perThread * target.threads();
        for (int tile : TILES) {
          if (target.threads() > 1 && (long) parts * tile <= chain.rank().size().value()) {
            forms.add(new Form(tile, parts));
          }
        }
      }
      return forms;
    }
  }

  /// For a GPU, whose blocks have no cache to themselves: a running form where a product would be stored for others to read.
  record OnBlocks(Target target, Decisions decisions) implements Forms {
    private static final Form RUNNING = new Form(64, 1);
    /// So many rows have something to share, and so many tiles of them keep the GPU busy.
    private static final long FEWEST_ROWS = 16;
    private static final long FEWEST_POINTS = 1024;

    @Override
    public String text() {
      return "form=cheapest, shared-bytes=" + target.sharedBytes();
    }

    @Override
    public boolean areWorth(Chain chain, Ancestry ancestry) {
      return decisions.forced().containsKey(ByCost.subject(chain)) || storesProducts(chain, ancestry);
    }

    private static boolean storesProducts(Chain chain, Ancestry ancestry) {
      long rows = chain.common().stream().mapToLong(rank -> rank.size().value()).max().orElse(1);
      return rows >= FEWEST_ROWS && Exprs.volume(chain.common()) >= FEWEST_POINTS && chain.rank().size().value() > RUNNING.tile()
          && ancestry.cascade().einsums().stream().anyMatch(einsum -> chain.absorbed().contains(einsum.tensor()) && FormCosts.isProduct(einsum))
          && chain.members().stream().anyMatch(member -> FormCosts.isProduct(member.einsum()));
    }

    @Override
    public Form first(Chain chain) {
      return RUNNING;
    }

    @Override
    public Form choose(Chain chain, Ancestry ancestry, Coverage coverage) {
      boolean stores = storesProducts(chain, ancestry);
      return decisions.choose(ByCost.subject(chain), List.of(Form.PLAIN, RUNNING), form -> form.isPlain() == stores ? 1 : 0);
    }
  }
}
