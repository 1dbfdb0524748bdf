// SPDX-License-Identifier: Apache-2.0

package import StowageModel
package import SystemPackage

/// A layer together with the store that holds it, decided once from the layer's record.
///
/// Drivers never look a layer up: whoever calls one hands it the location of the layer and, where content is
/// combined, the locations of the whole parent chain (store-semantics 27.3.1).
package struct LayerLocation: Hashable, Sendable {
  /// What the store holding a layer is to the store that was opened.
  package enum Role: Hashable, Sendable {
    /// The graph root of the opened store.
    case graphRoot
    /// The split image store: written for image layers, and never mounted read-write.
    case imageStore
    /// An additional image store, by its position in the configuration. Never written.
    case additionalImageStore(Int)
  }

  /// The layer's identifier.
  package let id: LayerID
  /// The kind of store that holds the layer.
  package let role: Role
  /// The root directory of the store that holds the layer (the graph root, the image store, an additional store).
  package let root: FilePath

  /// Names the layer `id` in the store at `root`.
  package init(id: LayerID, role: Role, root: FilePath) {
    self.id = id
    self.role = role
    self.root = root
  }

  /// Whether the holding store may be changed: false for additional image stores only.
  package var isWritable: Bool {
    switch role {
    case .graphRoot, .imageStore: true
    case .additionalImageStore: false
    }
  }
}

/// A layer and all its ancestors, nearest parent first.
package struct LayerChain: Hashable, Sendable {
  /// The layer.
  package let layer: LayerLocation
  /// Its ancestors according to the records, nearest first; empty for a base layer.
  package let parents: [LayerLocation]

  /// Pairs a layer with its ancestors.
  package init(layer: LayerLocation, parents: [LayerLocation]) {
    self.layer = layer
    self.parents = parents
  }
}
