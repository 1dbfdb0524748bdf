// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageModel
internal import StowageRecords

/// What is known of the chains below layers, found out once for each layer: a chain of thousands must not be followed anew
/// for each of its members.
struct KnownChains {
  /// What is below a layer.
  struct Chain {
    /// The direct parent; `nil` for a base layer.
    var parent: FoundLayer?
    /// How many ancestors there are; `nil` if one is recorded nowhere, or is its own ancestor.
    var depth: Int?
    /// In what form another program has made the layer, and what is below it; why that cannot be told.
    var forms: Result<(own: ForeignForm?, below: Set<ForeignForm>), StorageError>
  }

  private var known: [LayerLocation: Chain] = [:]

  /// The chain below a layer.
  mutating func chain(of layer: FoundLayer, _ layers: borrowing LayersReading) -> Chain {
    // Down to what is known, then up again, without a stack as deep as the chain.
    var unknown: [FoundLayer] = []
    var seen: Set<LayerID> = []
    var next: FoundLayer? = layer
    var isBroken = false
    while let current = next, known[current.location] == nil {
      guard seen.insert(current.id).inserted else {
        isBroken = true
        break
      }
      unknown.append(current)
      next = current.record.parent.flatMap { layers.find($0, near: current.location.role) }
      if next == nil, current.record.parent != nil { isBroken = true }
    }
    var below = isBroken ? nil : next
    var result = Chain(parent: nil, depth: nil, forms: .success((nil, [])))
    while let current = unknown.popLast() {
      result = chain(of: current, over: below, isBroken, layers.driver)
      known[current.location] = result
      below = current
    }
    return known[layer.location] ?? result
  }

  private func chain(
    of layer: FoundLayer, over parent: FoundLayer?, _ isBroken: Bool, _ driver: any GraphDriver
  ) -> Chain {
    let lower = parent.flatMap { known[$0.location] }
    let depth: Int? = isBroken ? nil : parent == nil ? 0 : lower?.depth.map { $0 + 1 }
    var chain = Chain(parent: parent, depth: depth, forms: .success((nil, [])))
    do throws(StorageError) {
      var below: Set<ForeignForm> = []
      // Of a chain that cannot be followed only the layer itself is told.
      if depth != nil, let forms = try lower?.forms.get() { below = forms.below.union(forms.own.map { [$0] } ?? []) }
      chain.forms = .success((try driver.foreignForm(of: layer.location), below))
    } catch {
      chain.forms = .failure(error)
    }
    return chain
  }
}
