// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
public import StowageModel
internal import StowageSystem
internal import SystemPackage

extension Store {
  // MARK: Looking

  /// Whether a layer, image or container has the identifier, name or unique identifier prefix; false also if that cannot be
  /// found out, so that callers need not tell apart what they cannot use in either case.
  public func exists(_ nameOrID: String) -> Bool { (try? lookup(nameOrID)) != nil }

  /// The full identifier of a layer, image or container, looked for in this order.
  ///
  /// - Throws: `layerUnknown` if there is none.
  public func lookup(_ nameOrID: String) throws(StorageError) -> String {
    try FoundObject(nameOrID, in: self, missing: .layerUnknown).id
  }

  /// The names of a layer, image or container, looked for in this order.
  ///
  /// - Throws: `layerUnknown` if there is none.
  public func names(of nameOrID: String) throws(StorageError) -> [String] {
    try FoundObject(nameOrID, in: self, missing: .layerUnknown).names
  }

  /// The metadata of a layer, image or container, looked for in this order.
  ///
  /// - Throws: `notAnID` if there is none.
  public func metadata(of nameOrID: String) throws(StorageError) -> String {
    try FoundObject(nameOrID, in: self, missing: .notAnID).metadata
  }

  // MARK: Names

  /// Gives a layer, image or container exactly these names. Names of other objects of its kind are taken away from
  /// these.
  ///
  /// An image that only an additional image store has is copied into the primary store first (store-semantics 14).
  /// - Returns: the names it has now.
  /// - Throws: `layerUnknown` if there is no such object.
  @discardableResult
  public func setNames(_ names: [String], of nameOrID: String) throws(StorageError) -> [String] {
    try Renaming(store: self, object: nameOrID, .set(names)).run()
  }

  /// Adds names in front of those a layer, image or container has. See ``setNames(_:of:)``.
  @discardableResult
  public func addNames(_ names: [String], to nameOrID: String) throws(StorageError) -> [String] {
    try Renaming(store: self, object: nameOrID, .add(names)).run()
  }

  /// Takes names off a layer, image or container. See ``setNames(_:of:)``.
  @discardableResult
  public func removeNames(_ names: [String], from nameOrID: String) throws(StorageError) -> [String] {
    try Renaming(store: self, object: nameOrID, .remove(names)).run()
  }

  // MARK: Metadata

  /// Replaces the metadata of a layer, image or container of this store.
  ///
  /// - Throws: `notAnID` if there is no such object that can be changed.
  public func setMetadata(_ metadata: String, of nameOrID: String) throws(StorageError) {
    try MetadataChange(store: self, object: nameOrID, metadata).run()
  }

  // MARK: Deleting

  /// Deletes a container with its layer, else an image without its layers, else a layer, *whatever depends on it*.
  ///
  /// - Throws: `layerUnknown` if there is no such object.
  public func unsafeDelete(_ nameOrID: String) throws(StorageError) {
    try UnsafeDeletion(store: self, object: nameOrID).run()
  }

  /// Deletes all containers, images and layers of this store. Additional image stores are not touched.
  ///
  /// - Parameter force: lets other graph roots that need layers of this one's image store lose them, and deletes what was kept
  ///   for a person when records were restored.
  /// - Throws: `layerHasChildren`, with nothing deleted, if another graph root needs a layer; `corrupt`, too, if layers are kept that were not restored; `system`.
  public func wipe(force: Bool = false) throws(StorageError) { try Wipe(store: self, force: force).run() }
}
