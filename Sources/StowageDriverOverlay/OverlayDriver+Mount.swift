// SPDX-License-Identifier: Apache-2.0

package import StowageDriverAPI
import StowageFiles
package import StowageModel
package import StowageMounts
import StowageSystem
import SystemPackage

extension OverlayDriver {
  /// Composes the mount of a layer (graph-drivers 7.1, changes-1.64 4.1).
  package func mountPlan(
    for layer: LayerLocation, over parents: [LayerLocation], _ options: MountOptions
  ) throws(StorageError) -> MountPlan {
    let files = files(of: layer)
    let isNew = options.isForNewLayer
    let isThere = isNew ? true : try HostFiles.exists(files.path)
    guard isThere else { throw OverlayDriver.missing(layer, files.path) }
    try requireInside(layer)
    try checkContent(files)
    let root = try Owner(rootOf: options.idMaps)
    let words = try mountWords(options)
    let readOnly = !isOwn(layer) || words.contains("ro")
    let chain = isNew ? parents : try driverChain(of: layer, over: parents)
    let lowers = try lowerDirectories(of: files, chain)

    let mountPoint = mountPoint(of: layer)
    let kinds: [BackingFileSystem] = settings.mountProgram != nil ? [.overlay, .fuse] : [.overlay]
    var steps: [any MountStep] = [
      StopIfMounted(mountPoint, kinds: kinds, readOnly: readOnly),
      EnsureDirectory(mountPoint, mode: 0o700, owner: root),
    ]
    if layer.isWritable, !context.isReadOnly {
      let mode = try contentMode(lowers)
      if !isNew, try !HostFiles.exists(files.diff) {
        steps.append(EnsureDirectory(files.diff, mode: mode, owner: root))
      }
      if !readOnly {
        steps.append(SetOwner(files.diff, root))
        if !isNew, try !HostFiles.exists(files.work) {
          steps.append(EnsureDirectory(files.work, mode: 0o700, owner: root))
        }
      }
      let marker = files.work.appending("work").appending("incompat").appending("volatile")
      if try HostFiles.exists(marker, followingLinks: false) { steps.append(RemoveTree(marker)) }
    }
    let (flags, data) = MountFlags.split(words)
    let shift = try shift(of: layer, chain, options)
    let mount = OverlayMount(
      lowers: lowers, upper: files.diff, work: readOnly ? nil : files.work, options: data,
      flags: isOwn(layer) ? flags : flags.union(.readOnly), label: options.label, target: mountPoint,
      shift: shift.maps, unshifted: shift.unshifted)
    if let program = settings.mountProgram {
      steps.append(self.program(program, mount, options))
    } else {
      steps.append(mount)
    }
    return MountPlan(steps: steps, mountPoint: mountPoint)
  }

  /// Unmounts lazily and puts a fresh mount point in place (graph-drivers 8.2).
  package func unmountPlan(for layer: LayerLocation) -> MountPlan {
    let mountPoint = mountPoint(of: layer)
    var steps: [any MountStep] = []
    if layer.isWritable, !context.isReadOnly { steps.append(UnmountChildren(files(of: layer).mapped)) }
    if settings.mountProgram != nil { steps.append(UnmountProgram(mountPoint)) }
    steps.append(Unmount(mountPoint))
    if isOwn(layer) {
      steps.append(ReplaceMountPoint(mountPoint))
    } else {
      steps.append(RemoveTree(mountPoint.removingLastComponent()))
    }
    return MountPlan(steps: steps, mountPoint: mountPoint)
  }

  /// Whether the layer is in a graph root that may be changed: then it has a mount point of its own, and may be written.
  private func isOwn(_ layer: LayerLocation) -> Bool { layer.role == .graphRoot && !context.isReadOnly }

  /// `merged` in the layer's directory; for layers of other stores, and of a graph root that can only be read, a private one in
  /// the run root (graph-drivers 5).
  func mountPoint(of layer: LayerLocation) -> FilePath {
    isOwn(layer)
      ? files(of: layer).merged : runHome.appending(layer.id.rawValue).appending("merged")
  }

  static func missing(_ layer: LayerLocation, _ path: FilePath) -> StorageError {
    StorageError(
      .layerUnknown, "stat \(path): no such file or directory", subject: layer.id.rawValue, path: path.string)
  }

  /// Refuses content of additional layer stores that is gone, and composefs layers.
  private func checkContent(_ files: OverlayLayer) throws(StorageError) {
    if let target = HostFiles.linkTarget(files.diff) {
      guard target.hasPrefix("/") else {
        throw StorageError(
          .corrupt, "linkpath must be absolute (got: \(goQuoted(target)))", path: files.diff.string)
      }
      guard try HostFiles.exists(files.diff) else {
        throw StorageError(
          .layerUnknown,
          "failed to access to the linked additional layer: stat \(target): no such file or directory",
          path: files.diff.string)
      }
    }
    try refuseComposefs(files)
  }

  /// The option words of graph-drivers 7.3, with `userxattr` and `volatile` where they belong.
  private func mountWords(_ options: MountOptions) throws(StorageError) -> [String] {
    let defaults = settings.mountOptions.split(separator: ",").map(String.init)
    let metacopy = settings.mountProgram == nil && features.usesMetacopy
    var words =
      options.options.isEmpty ? defaults : options.options.flatMap { $0.split(separator: ",").map(String.init) }
    if !options.options.isEmpty, metacopy, defaults.contains("metacopy=on"), !words.contains("metacopy=on") {
      words.append("metacopy=on")
    }
    if !metacopy, words.contains("metacopy=on") {
      let text = "overlay: ignoring the option metacopy=on, which this kernel or mount program does not support"
      if context.inUserNamespace || settings.mountProgram != nil { Log.debug(text) } else { Log.warning(text) }
      words.removeAll { $0 == "metacopy=on" }
    }
    if context.inUserNamespace, settings.mountProgram == nil, !words.contains("userxattr") { words.append("userxattr") }
    if options.isVolatile, !words.contains("volatile"), try supportsVolatile() { words.append("volatile") }
    return words
  }

  /// The lower directories, uppermost first: the layer's own older generations, then each ancestor's content and its
  /// older generations; `empty` if there are none.
  private func lowerDirectories(
    of files: OverlayLayer, _ chain: [LayerLocation]
  ) throws(StorageError) -> [FilePath] {
    guard chain.count <= OverlayMounter.maximumDepth else {
      throw StorageError(.notSupported, "max depth exceeded", subject: files.id)
    }
    let lowers = try files.olderGenerations().map { $0.lexicallyNormalized() } + lowerDirectories(of: chain)
    return lowers.isEmpty ? [files.empty] : lowers
  }

  /// The directories that show the first layer of a chain, uppermost first.
  func lowerDirectories(of chain: [LayerLocation]) throws(StorageError) -> [FilePath] {
    var lowers: [FilePath] = []
    for ancestor in chain {
      let below = self.files(of: ancestor)
      try requireInside(ancestor)
      guard try HostFiles.exists(below.diff) else {
        throw StorageError(
          .layerUnknown,
          "can't stat (or find?) lower layer \(goQuoted(below.diff.string)): stat \(below.diff): "
            + "no such file or directory",
          subject: ancestor.id.rawValue, path: below.diff.string)
      }
      try refuseComposefs(below)
      lowers.append(below.diff)
      lowers += try below.olderGenerations()
    }
    return lowers
  }

  /// Makes sure that the content of another store's layer is in that store: links of its own graph root may lead to an additional
  /// layer store, those of others to anywhere on this host.
  func requireInside(_ layer: LayerLocation) throws(StorageError) {
    if layer.isWritable { return }
    let files = files(of: layer)
    try HostFiles.requireBeneath(layer.root, files.diff)
    for older in try files.olderGenerations() { try HostFiles.requireBeneath(layer.root, older.lexicallyNormalized()) }
  }

  /// The same for several layers.
  func requireInside(_ layers: [LayerLocation]) throws(StorageError) {
    for layer in layers { try requireInside(layer) }
  }

  /// The mode for a missing `diff`: that of the first lower directory, else the forced mask, else 555.
  private func contentMode(_ lowers: [FilePath]) throws(StorageError) -> UInt16 {
    if let first = lowers.first, first.lastComponent != "empty", let status = try HostFiles.status(first) {
      return UInt16(status.permissions)
    }
    return settings.forceMask ?? 0o555
  }

  /// By which maps the kernel must shift owners, and in which lower directories it must not. A kind of IDs without a map stays as
  /// it is (configuration-and-idmaps 21.33).
  ///
  /// Each layer is shifted by its own record (changes-1.65 1). Below a mapped layer with older generations nothing is shifted:
  /// these are a copy of all that is below.
  ///
  /// - Throws: `notSupported` if the layer itself has the maps' owners on disk, and layers below must be shifted but cannot.
  private func shift(
    of layer: LayerLocation, _ chain: [LayerLocation], _ options: MountOptions
  ) throws(StorageError) -> (maps: IDMaps, unshifted: Set<FilePath>) {
    if options.idMaps.isEmpty { return (IDMaps(), []) }
    var unshifted: Set<FilePath> = []
    var (isHidden, isNeeded) = (false, false)
    for (index, layer) in ([layer] + chain).enumerated() {
      let files = files(of: layer)
      let isMapped = options.mappedLayers.contains(layer.id)
      if isHidden || isMapped {
        let older = try files.olderGenerations()
        unshifted.formUnion([files.diff] + older + older.map { $0.lexicallyNormalized() })
        isHidden = isHidden || !older.isEmpty
      } else if index > 0 {
        isNeeded = true
      }
    }
    guard isNeeded else { return (IDMaps(), []) }
    if settings.mountProgram == nil, !options.disableShifting, supportsShifting(options.idMaps) {
      return (options.idMaps, unshifted)
    }
    if options.mappedLayers.contains(layer.id) {
      throw StorageError(
        .notSupported,
        "cannot mount layer \(layer.id): shifting not enabled, and the layers below it have no ID maps: "
          + "mount it where the kernel shifts owners, without a mount program",
        subject: layer.id.rawValue)
    }
    return (IDMaps(), [])
  }

  /// The invocation of a mount program: flag words are not passed, but `ro` is (graph-drivers 7.4, 26.17, 26.18).
  func program(_ path: FilePath, _ mount: OverlayMount, _ options: MountOptions) -> MountProgram {
    var mount = mount
    mount.options.removeAll { $0 == "metacopy=on" || $0 == "userxattr" }
    var data = mount.data
    if mount.flags.contains(.readOnly) { data += ",ro" }
    if !options.disableShifting, supportsShifting(options.idMaps) {
      data += OverlayDriver.programMapping("uid", options.idMaps.uids)
      data += OverlayDriver.programMapping("gid", options.idMaps.gids)
    }
    if settings.forceMask != nil { data += ",xattr_permissions=2" }
    return MountProgram(path: path, data: data, target: mount.target, home: graphHome)
  }

  private static func programMapping(_ kind: String, _ map: [IDMapping]) -> String {
    guard let first = map.first else { return "" }
    if map.count == 1, first.size == 1 { return ",squash_to_\(kind)=\(first.hostID)" }
    let triples = map.map { "\($0.containerID):\($0.hostID):\($0.size)" }
    return ",\(kind)mapping=" + triples.joined(separator: ":")
  }
}
