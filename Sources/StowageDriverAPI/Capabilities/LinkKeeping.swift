// SPDX-License-Identifier: Apache-2.0

package import StowageModel
package import SystemPackage

/// A driver that writes down on disk how layers are related, for programs that look there instead of into the records.
package protocol LinkKeeping: GraphDriver {
  /// The ancestors of a layer, nearest first, as the driver wrote them down; `nil` if that is lost. For when there are no
  /// records.
  func listedParents(of layer: LayerLocation) throws(StorageError) -> [LayerID]?

  /// Compares what the driver keeps on disk about parentage with the records; changes nothing.
  func linkFindings(_ chains: [LayerChain]) -> [LinkFinding]

  /// Whether older programs lack a link to mount the layer, or have a wrong list of parents, which
  /// ``repairLinks(_:in:mounted:)`` would restore; a quick look.
  func lacksLinks(_ chain: LayerChain) throws(StorageError) -> Bool

  /// Restores lost links and lists of recorded layers, and removes dangling ones, in the store at `root` (changes-1.64 6.3).
  ///
  /// Layers of other stores among `chains` are passed over; layers in `mounted` keep their lists. Needs layers
  /// exclusively; must not be called for an additional image store.
  ///
  /// - Returns: what was repaired.
  @discardableResult
  func repairLinks(_ chains: [LayerChain], in root: FilePath, mounted: Set<LayerID>) throws(StorageError)
    -> [LinkFinding]
}

extension GraphDriver {
  /// The driver as one that keeps links; `nil` if there is nothing to compare and to repair.
  package var linkKeeping: (any LinkKeeping)? { self as? any LinkKeeping }
}

/// A disagreement between a layer's record and what the driver keeps about its parents.
package struct LinkFinding: Hashable, Sendable, CustomStringConvertible {
  /// What is wrong.
  package enum Kind: Hashable, Sendable {
    /// The file with the layer's short name is missing, empty or unusable.
    case shortNameMissing
    /// No entry with the layer's short name leads to the layer.
    case linkMissing(name: String)
    /// An entry leads to a layer that is neither recorded nor on disk, or is a second one for a layer.
    case linkDangling(name: String)
    /// The list of short names is missing.
    case lowerMissing
    /// The list of identifiers is missing (normal for layers written by versions before 1.64) or unusable.
    case lowerLayersMissing
    /// A list names other parents than the record.
    case parentsDiffer(file: String)
  }

  /// The layer, or `nil` for a dangling entry.
  package let layer: LayerID?
  /// The kind of disagreement.
  package let kind: Kind

  /// States a disagreement.
  package init(layer: LayerID?, kind: Kind) {
    self.layer = layer
    self.kind = kind
  }

  /// One line for people.
  package var description: String {
    let subject = layer.map { "layer \($0): " } ?? ""
    return switch kind {
    case .shortNameMissing: subject + "link file is missing or unusable"
    case .linkMissing(let name): subject + "link l/\(name) is missing"
    case .linkDangling(let name): subject + "link l/\(name) leads nowhere"
    case .lowerMissing: subject + "file lower is missing"
    case .lowerLayersMissing: subject + "file lower-layers is missing or unusable"
    case .parentsDiffer(let file): subject + "file \(file) disagrees with the recorded parents"
    }
  }
}
