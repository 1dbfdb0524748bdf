// SPDX-License-Identifier: Apache-2.0

public import StowageModel

extension LayerOperations {
  /// The differences of a layer to its parent, or to the layer `from`; sorted by path. An unknown `from` stands for the
  /// parent, as in the reference.
  ///
  /// - Throws: `layerUnknown`.
  public func changes(of nameOrID: String, from: String? = nil) throws(StorageError) -> [LayerChange] {
    try store.read([.layers]) { (access) throws(StorageError) in
      let layers = access.layers
      return try LayerComparison(of: nameOrID, from: from, layers, store).changes(layers)
    }
  }

  /// Writes a layer's diff as a tar archive.
  ///
  /// Against the parent, the archive the layer was made from comes back byte for byte. The layer lock is held shared
  /// until all is written. The output is not closed; after a failure part of the archive is written.
  ///
  /// Objects named as an archive names deletions, which a program in a container can make, are left out with a warning.
  ///
  /// - Parameters:
  ///   - compression: `nil` for that of the archive the layer was made from.
  ///   - isStrict: whether such an object is an error instead.
  /// - Throws: `layerUnknown`; `notSupported` for bzip2 and xz, and for such an object; `invalidMappings` for an owner that the
  ///   layer's ID maps do not have; `corrupt` if files are not what was recorded.
  public func diff(
    of nameOrID: String, from: String? = nil, compression: Compression? = nil, isStrict: Bool = false,
    to output: LayerOutput
  ) throws(StorageError) {
    try store.read([.layers]) { (access) throws(StorageError) in
      let layers = access.layers
      try LayerComparison(of: nameOrID, from: from, layers, store).write(
        to: output, compression, isStrict: isStrict, layers)
    }
  }

  /// The size in bytes of the differences of a layer to its parent, or to the layer `from`.
  ///
  /// - Throws: `layerUnknown`.
  public func diffSize(of nameOrID: String, from: String? = nil) throws(StorageError) -> Int64 {
    try store.read([.layers]) { (access) throws(StorageError) in
      let layers = access.layers
      return try LayerComparison(of: nameOrID, from: from, layers, store).size(layers)
    }
  }
}
