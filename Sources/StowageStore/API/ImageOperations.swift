// SPDX-License-Identifier: Apache-2.0

internal import StowageDigest
internal import StowageFiles
public import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// What can be done with the images of a store. Names stand for identifiers and unique identifier prefixes too.
public struct ImageOperations: Sendable {
  let store: Store
  /// The store these operations belong to.
  public var owner: Store { store }

  // MARK: Looking

  /// All images: primary store, then others in search order; not de-duplicated.
  public func list() throws(StorageError) -> [ImageInfo] {
    try store.read([.images]) { (access) throws(StorageError) in access.images.infos }
  }

  /// One image.
  ///
  /// - Throws: `imageUnknown`.
  public func find(_ nameOrID: String) throws(StorageError) -> ImageInfo {
    try store.read([.images]) { (access) throws(StorageError) in
      let view = access.images
      let found = try view.require(nameOrID)
      return view.info(found.record, found.store)
    }
  }

  /// The images that have a digest as their own or as that of a manifest; the digest's syntax is not looked at.
  public func byDigest(_ digest: String) throws(StorageError) -> [ImageInfo] {
    try list().filter { $0.digests.contains { $0.description.hasSameBytes(as: digest) } }
  }

  /// The images whose top layer, or one of its mapped copies, is this layer.
  ///
  /// - Throws: `layerUnknown`.
  public func byTopLayer(_ nameOrID: String) throws(StorageError) -> [ImageInfo] {
    try store.layers.withLayer(nameOrID) { (layer, _) throws(StorageError) -> [ImageInfo] in
      try store.read([.images]) { (access) throws(StorageError) in
        access.images.infos.filter { $0.record.layer == layer.id || $0.record.mappedLayers.contains(layer.id) }
      }
    }
  }

  /// The size in bytes of all layers of an image, each once, and of its big data items (store-semantics 19).
  ///
  /// - Throws: `imageUnknown`, `layerUnknown` if a layer is missing.
  public func size(of nameOrID: String) throws(StorageError) -> Int64 {
    try store.read([.layers, .images]) { (access) throws(StorageError) -> Int64 in
      let layers = access.layers
      let image = try access.images.require(nameOrID)
      var size: Int64 = 0
      var seen: Set<LayerID> = []
      for top in image.record.topLayers {
        var next: LayerID? = top
        while let id = next, seen.insert(id).inserted {
          guard let layer = layers.find(id) else {
            throw StorageError(.layerUnknown, subject: id.rawValue)
              .wrapped("locating layer with ID \(goQuoted(id.rawValue))")
          }
          size &+= try layers.recordedSize(of: layer, store)
          next = layer.record.parent
        }
      }
      for (_, bytes) in image.record.bigDataSizes { size &+= bytes }
      return size
    }
  }

  // MARK: Changing

  /// Makes an image (store-semantics 10.1).
  ///
  /// - Throws: `duplicateID`, `duplicateName`, `layerUnknown`, `invalidDigest`, `invalidIdentifier`.
  public func create(_ request: ImageCreation) throws(StorageError) -> ImageInfo {
    try ImageMaking(store: store, request: request).run()
  }

  /// Deletes an image and the layers that nothing else uses (store-semantics 18.3).
  ///
  /// - Parameters:
  ///   - commit: `false` deletes nothing and only tells.
  ///   - force: also if containers of other graph roots on this image store need it: they cannot be mounted any more.
  /// - Returns: the layers that are, or would be, deleted, in order.
  /// - Throws: `notAnImage`, `imageUsedByContainer`, also for containers of other graph roots.
  @discardableResult
  public func delete(_ nameOrID: String, commit: Bool = true, force: Bool = false) throws(StorageError) -> [LayerID] {
    try ImageDeletion(store: store, image: nameOrID, commit: commit, force: force).run()
  }

  // MARK: Big data

  /// Keys of an image's big data items, in order of first write.
  ///
  /// - Throws: `imageUnknown`.
  public func bigDataNames(of nameOrID: String) throws(StorageError) -> [String] {
    try find(nameOrID).record.bigDataNames
  }

  /// A big data item.
  ///
  /// - Throws: `imageUnknown`; `imageDataMissing`.
  public func bigData(_ key: String, of nameOrID: String) throws(StorageError) -> [UInt8] {
    try store.read([.images]) { (access) throws(StorageError) -> [UInt8] in
      let view = access.images
      let found = try view.require(nameOrID)
      let directory = store.imageStores[found.store].directory
      guard let bytes = BigDataFiles.read(key, of: found.record.id.rawValue, in: directory) else {
        throw missingItem(key, nameOrID)
      }
      return bytes
    }
  }

  /// Whether the file of an item has these bytes.
  ///
  /// - Throws: `imageUnknown`.
  package func hasFile(of item: BigDataItem, of id: ImageID) throws(StorageError) -> Bool {
    do throws(StorageError) { return try bigData(item.key, of: id.rawValue) == item.bytes } catch {
      if error.code == .imageDataMissing { return false }
      throw error
    }
  }

  /// The size in bytes of a big data item.
  ///
  /// - Throws: `sizeUnknown` if the image or the item is missing.
  public func bigDataSize(_ key: String, of nameOrID: String) throws(StorageError) -> Int64 {
    if let size = try? find(nameOrID).record.bigDataSizes[key] { return size }
    guard let bytes = try? bigData(key, of: nameOrID) else { throw StorageError(.sizeUnknown, subject: key) }
    return Int64(bytes.count)
  }

  /// The recorded digest of a big data item.
  ///
  /// - Throws: `digestUnknown` if there is none.
  public func bigDataDigest(_ key: String, of nameOrID: String) throws(StorageError) -> Digest {
    guard let digest = try? find(nameOrID).record.bigDataDigests[key], digest.isValid else {
      throw StorageError(.digestUnknown, subject: key)
    }
    return digest
  }

  /// Writes a big data item of an image of this store.
  ///
  /// - Parameter digest: to be recorded; `nil` for the SHA-256 of the bytes.
  /// - Throws: `imageUnknown`, `invalidBigDataName`.
  public func setBigData(
    _ key: String, bytes: [UInt8], of nameOrID: String, digest: Digest? = nil
  ) throws(StorageError) {
    if key.isEmpty {
      throw StorageError(.invalidBigDataName).wrapped("can't set empty name for image big data item")
    }
    let digest = digest ?? sha256(of: bytes)
    try store.write([.ownImages]) { (access) throws(StorageError) in
      let all = access.images
      for index in all.own {
        let images = all.at(index)
        guard let image = images.reading.find(nameOrID) else { continue }
        var changed = image
        changed.enter(key, size: bytes.count, digest: digest)
        if changed == image {
          return try BigDataFiles.write(bytes, key, of: image.id.rawValue, in: images.store.directory, kind: "image")
        }
        let item = BigDataItem(key: key, bytes: bytes, digest: digest)
        return try images.update(image.id, items: [item], kind: "image") { $0.settleDigest() }
      }
      throw unknownImage(nameOrID)
    }
  }

  /// Brings an image of this store up to date in one write: items, metadata if given, and names in front of those it has.
  ///
  /// - Throws: `imageUnknown`, `readOnlyStore`, `invalidBigDataName`.
  package func update(
    _ id: ImageID, items: [BigDataItem], metadata: String?, addingNames added: [String]
  ) throws(StorageError) {
    try store.write([.images]) { (access) throws(StorageError) in
      let all = access.images
      guard let found = all.view.find(id.rawValue), found.record.id == id else { throw unknownImage(id.rawValue) }
      guard all.view.isWritable[found.store] else { throw StorageError(.readOnlyStore, subject: id.rawValue) }
      let names = NameChange.add(added).applied(to: found.record.names)
      var expected = found.record
      if let metadata { expected.metadata = metadata }
      if items.isEmpty, names == found.record.names, expected == found.record { return }
      let home = all.home(of: found)
      try all.at(home).update(id, items: items, kind: "image", names: names) { record in
        if let metadata { record.metadata = metadata }
        record.remember(names)
      }
      try all.release(names, except: home)
    }
  }

  /// Refuses to go on while records of images are lost: what was made for a new image could not be recorded, nor deleted again.
  ///
  /// - Throws: `corrupt`.
  package func requireRecords() throws(StorageError) {
    try store.topology.refuseWriting(store.topology.images.filter(\.isWritable).map(\.place.records))
  }

  // MARK: Directories

  /// A directory for the caller's files about an image, made with mode 0700 if missing; it goes with the image. In a store that
  /// can only be read it is not made.
  ///
  /// - Throws: `imageUnknown`.
  public func directory(of nameOrID: String) throws(StorageError) -> String {
    let id = try find(nameOrID).id
    let path = BigDataFiles.callersDirectory(of: id.rawValue, in: store.topology.imageDirectory)
    if !store.isReadOnly { try makeDirectories(path, mode: 0o700) }
    return path.string
  }

  /// A directory for the caller's files about an image that need not survive a reboot.
  ///
  /// - Throws: `imageUnknown`.
  public func runDirectory(of nameOrID: String) throws(StorageError) -> String {
    let id = try find(nameOrID).id
    let path = BigDataFiles.callersDirectory(of: id.rawValue, in: store.topology.imageRunDirectory)
    try makeDirectories(path, mode: 0o700)
    return path.string
  }
}

extension LayersReading {
  /// The recorded uncompressed size of a layer, else the size of its differences.
  fileprivate func recordedSize(of layer: FoundLayer, _ store: Store) throws(StorageError) -> Int64 {
    if layer.record.diffDigest != nil, layer.record.diffSize >= 0 { return layer.record.diffSize }
    do throws(StorageError) {
      return try LayerComparison(of: layer, self, store).size(self)
    } catch {
      throw error.wrapped("size/digest of layer with ID \(goQuoted(layer.id.rawValue)) could not be calculated")
    }
  }
}
