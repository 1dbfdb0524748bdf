// SPDX-License-Identifier: Apache-2.0

package import StowageDriverAPI
import StowageFiles
package import StowageModel
import StowageSystem
package import SystemPackage

extension OverlayDriver {
  /// Makes the layer's directory: `diff` (the staged tree), `work`, `merged`, `empty` or `lower` and `lower-layers`, `link`, then the
  /// `l` entry (graph-drivers 6.3, changes-1.64 3.1).
  package func create(
    _ layer: LayerLocation, over parents: [LayerLocation], _ options: LayerCreateOptions,
    staged: consuming StagedLayer?
  ) throws(StorageError) {
    guard layer.isWritable else { throw OverlayDriver.readOnly(layer) }
    try check(options)
    let files = files(of: layer)
    var content: StagedLayer? = staged
    if content == nil, options.isCopy || options.shift != nil {
      content = try stage(over: parents, targetRoot: layer.root, options)
    }
    let attributes = try rootAttributes(over: parents.first, options)
    // A copy has all of its content itself.
    let chain = options.isCopy ? [] : try creationChain(parents)
    try HostFiles.ensureDirectory(files.home.appending("l"), mode: 0o755, owner: .root)
    if try HostFiles.exists(files.path, followingLinks: false) {
      Log.warning("overlay: removing the leftover directory \(files.path) of a layer that is not recorded")
      try removeNow(files)
    }
    let lists = try ParentLists(chain, self)
    let name = OverlayLayer.newShortName()
    try HostFiles.makeDirectory(files.path, mode: 0o700, owner: attributes.layerOwner)
    do throws(StorageError) {
      try fill(files, attributes, name: name, lists, content: content?.tree, older: content?.older)
    } catch {
      // The error that led here is told; what stays is a directory without record.
      try? removeTree(files.path)
      HostFiles.removeLink(files.linkEntry(name), leadingTo: files.linkTarget)
      throw error
    }
    if let content = content.take() { content.finish() }
  }

  private func fill(
    _ files: OverlayLayer, _ attributes: RootAttributes, name: String, _ lists: ParentLists?, content: FilePath?,
    older: FilePath?
  ) throws(StorageError) {
    if let older { try HostFiles.rename(older, files.older(1)) }
    if let content {
      try HostFiles.rename(content, files.diff)
    } else {
      try makeContentRoot(files.diff, attributes)
    }
    try HostFiles.makeDirectory(files.work, mode: 0o700, owner: attributes.forcedOwner)
    try HostFiles.makeDirectory(files.merged, mode: 0o700, owner: attributes.forcedOwner)
    var texts = [AtomicFile.SmallFile(files.linkFile, text: name, mode: 0o644)]
    if let lists {
      texts.append(AtomicFile.SmallFile(files.lowerFile, text: lists.lower, mode: 0o666))
      texts.append(AtomicFile.SmallFile(files.lowerLayersFile, text: lists.lowerLayers, mode: 0o666))
    } else {
      try HostFiles.makeDirectory(files.empty, mode: 0o700, owner: attributes.forcedOwner)
    }
    try AtomicFile.replace(texts, isFlushed: syncPolicy != .none)
    // After the file with its name, by which other programs find it when they delete what was not finished.
    try HostFiles.symlink(files.linkEntry(name), to: files.linkTarget)
    if syncPolicy != .none { try AtomicFile.syncDirectory(files.path) }
  }

  /// `l`, and the directory of all layers.
  package func sharedDirectories(of layer: LayerLocation) -> [FilePath] {
    let files = files(of: layer)
    return syncPolicy == .none ? [] : [files.links, files.home]
  }

  /// Makes `diff`, with the override attribute if a mask is forced.
  func makeContentRoot(_ path: FilePath, _ attributes: RootAttributes) throws(StorageError) {
    try HostFiles.makeDirectory(path, mode: attributes.forcedMode, owner: attributes.forcedOwner)
    if settings.forceMask != nil {
      let value = OverrideStat(owner: attributes.owner, mode: attributes.mode).text
      try HostFiles.setAttribute(path, OverrideStat.attributeName, value)
    }
  }

  /// The chain for a new layer: the nearest parent may itself have a template below it.
  func creationChain(_ parents: [LayerLocation]) throws(StorageError) -> [LayerLocation] {
    guard let parent = parents.first else { return [] }
    guard try exists(parent) else {
      throw StorageError(
        .layerUnknown, "parent layer \(goQuoted(parent.id.rawValue)): \(StorageError.Code.layerUnknown.text)",
        subject: parent.id.rawValue, path: directory(of: parent).string)
    }
    let chain = [parent] + (try driverChain(of: parent, over: Array(parents.dropFirst())))
    try refuseComposefs(below: chain)
    return chain
  }

  /// Refuses storage options that need project quotas, and unknown ones (graph-drivers 6.1, changes-1.64 8).
  private func check(_ options: LayerCreateOptions) throws(StorageError) {
    if options.isReadWrite {
      if !options.storageOptions.isEmpty {
        throw StorageError(
          .invalidOption, "--storage-opt is supported only for overlay over xfs with 'pquota' mount option")
      }
      if settings.forceMask != nil, settings.mountProgram == nil {
        throw StorageError(
          .invalidOption, "overlay: force_mask option for writeable layers is only supported with a mount_program")
      }
      return
    }
    for key in options.storageOptions.keys.map({ $0.lowercased() }).sorted() {
      if key == "size" || key == "inodes" {
        throw StorageError(.invalidOption, "--storage-opt \(key) is only supported for ReadWrite Layers")
      }
      throw StorageError(.invalidOption, "unknown option \(key)")
    }
  }
}

/// Owner and mode of a new layer's directories (graph-drivers 6.2).
struct RootAttributes {
  /// The owner of the layer's directory.
  var layerOwner: Owner
  /// The real owner of `diff`.
  var owner: Owner
  /// The real mode of `diff`.
  var mode: UInt16
  /// The owner on disk.
  var forcedOwner: Owner
  /// The mode on disk.
  var forcedMode: UInt16
}

extension OverlayDriver {
  /// What a new layer over `parent` gets: the parent's content directory decides, else 555 and the maps' root. If owners are
  /// changed, the maps' root owns the content in any case.
  func rootAttributes(
    over parent: LayerLocation?, _ options: LayerCreateOptions
  ) throws(StorageError) -> RootAttributes {
    let root = try Owner(rootOf: options.idMaps)
    var result = RootAttributes(layerOwner: root, owner: root, mode: 0o555, forcedOwner: root, forcedMode: 0o555)
    if let parent {
      let diff = files(of: parent).diff
      if let override = try OverrideStat(of: diff) {
        (result.owner, result.mode) = (override.owner, override.mode)
      } else if let status = try HostFiles.status(diff) {
        (result.owner, result.mode) = (Owner(uid: status.uid, gid: status.gid), UInt16(status.permissions))
      } else {
        throw StorageError(
          .layerUnknown, "stat \(diff): no such file or directory", subject: parent.id.rawValue, path: diff.string)
      }
      if options.isCopy || options.shift != nil { result.owner = root }
      (result.forcedOwner, result.forcedMode) = (result.owner, result.mode)
    }
    if let mask = settings.forceMask { (result.forcedOwner, result.forcedMode) = (root, mask) }
    return result
  }
}

/// The contents of `lower` and `lower-layers` of a new layer.
struct ParentLists {
  /// `l/` and the short name of each ancestor, joined by colons.
  let lower: String
  /// The identifiers of the ancestors, joined by colons.
  let lowerLayers: String

  /// Derives both from the chain; `nil` for a base layer.
  ///
  /// If the nearest parent's lists agree with the chain, its `lower` is taken over: one file read instead of one for
  /// each ancestor. A missing short name is made anew in a store that may be written (changes-1.64 6.2).
  init?(_ chain: [LayerLocation], _ driver: OverlayDriver) throws(StorageError) {
    guard let parent = chain.first else { return nil }
    lowerLayers = String(decoding: OverlayLayer.list(chain), as: UTF8.self)
    let files = driver.files(of: parent)
    let nearest = "l/" + (try driver.shortName(of: parent))
    if chain.count == 1 {
      lower = nearest
    } else if let links = try files.listOfLinks(of: chain.count - 1), try files.lists(exactly: Array(chain.dropFirst()))
    {
      lower = nearest + ":" + links
    } else {
      var names = [nearest]
      for ancestor in chain.dropFirst() { names.append("l/" + (try driver.shortName(of: ancestor))) }
      lower = names.joined(separator: ":")
    }
  }
}
