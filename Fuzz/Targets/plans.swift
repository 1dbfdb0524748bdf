// SPDX-License-Identifier: Apache-2.0
private import StowageDriverAPI
private import StowageDriverOverlay
private import StowageFiles
private import StowageModel
private import StowageMounts
private import StowageSystem
private import SystemPackage

/// Reads the input as what overlay keeps of a container's layer and its parent: short names, lists, entries in `l`, and what
/// kind of objects their directories are. A third layer, below both, is in an additional store.
///
/// Invariants: a plan of a mount has the recorded layers in their order, and nothing from outside of the stores; what is wrong
/// with links and lists is so no more after a repair.
func fuzzPlans(_ input: [UInt8]) {
  let parts = input.split(separator: 0, maxSplits: 12, omittingEmptySubsequences: false).map(Array.init)
  makeStores(parts)
  guard let bench = Bench() else { return }
  // A layer that cannot be mounted is refused.
  if let plan = try? bench.driver.mountPlan(for: bench.container, over: [bench.parent, bench.base], MountOptions()) {
    checkPlan(plan, bench)
  }
  _ = try? bench.driver.listedParents(of: bench.container)
  _ = try? bench.driver.listedParents(of: bench.parent)

  let chains = [
    LayerChain(layer: bench.container, parents: [bench.parent, bench.base]),
    LayerChain(layer: bench.parent, parents: [bench.base]),
  ]
  _ = bench.driver.linkFindings(chains)
  guard (try? bench.driver.repairLinks(chains, in: graphRoot, mounted: [])) != nil else { return }
  let left = bench.driver.linkFindings(chains)
  precondition(left.isEmpty, "left after a repair: \(left)")
  for chain in chains {
    precondition((try? bench.driver.lacksLinks(chain)) != true, "links are missing after a repair")
  }
}

private let graphRoot = Scratch.path.appending("graph")
private let otherRoot = Scratch.path.appending("other")
private let home = graphRoot.appending("overlay")

/// The driver and the layers that it is told of.
private struct Bench {
  let driver: OverlayDriver
  let container: LayerLocation
  let parent: LayerLocation
  let base: LayerLocation

  /// Without probes and mounts: the mount program is never run.
  init?() {
    let options = ["overlay.mount_program=/bin/true", "overlay.skip_mount_home=true"]
    let context = DriverContext(
      graphRoot: graphRoot, runRoot: Scratch.path.appending("run"), additional: [otherRoot], options: options,
      driverNames: ["overlay"])
    guard let driver = try? OverlayDriver.make(context), let container = LayerID(recorded: "x"),
      let parent = LayerID(recorded: "p"), let base = LayerID(recorded: "q")
    else { preconditionFailure("no driver") }
    self.driver = driver
    self.container = LayerLocation(id: container, role: .graphRoot, root: graphRoot)
    self.parent = LayerLocation(id: parent, role: .graphRoot, root: graphRoot)
    self.base = LayerLocation(id: base, role: .additionalImageStore(0), root: otherRoot)
  }
}

private func checkPlan(_ plan: MountPlan, _ bench: Bench) {
  guard let program = plan.steps.compactMap({ $0 as? MountProgram }).first,
    let directories = program.data.split(separator: ",").first, directories.hasPrefix("lowerdir=")
  else { preconditionFailure("no mount in the plan") }
  let lowers = directories.dropFirst("lowerdir=".count).split(separator: ":").map { FilePath(String($0)) }
  precondition(!lowers.isEmpty, "nothing below")
  for lower in lowers {
    // An older generation is written as `diff/../diff1` (changes-1.64 4.1).
    let place = lower.lexicallyNormalized()
    precondition(place.starts(with: home) || place.starts(with: otherRoot), "\(lower) is in no store")
    guard lower.starts(with: otherRoot) else { continue }
    do throws(StorageError) { try HostFiles.requireBeneath(otherRoot, lower) } catch {
      preconditionFailure("\(lower) leads out of its store")
    }
  }
  let parent = bench.driver.directory(of: bench.parent).appending("diff")
  let base = bench.driver.directory(of: bench.base).appending("diff")
  // A copy that has all content itself hides what is below.
  if (try? OverlayLayer(home: home, id: "x").standsAlone()) == true { return }
  guard let position = lowers.firstIndex(of: parent) else { preconditionFailure("the parent is not mounted") }
  if (try? OverlayLayer(home: home, id: "p").standsAlone()) == true { return }
  precondition(lowers[position...].contains(base), "the parent's parent is not mounted")
}

/// The stores anew: flags, then link, lower and lower-layers of both layers, then entries of `l`: name, line feed, target.
private func makeStores(_ parts: [[UInt8]]) {
  for root in [graphRoot, otherRoot] {
    if Syscall.exists(root) { Scratch.remove(root) }
    Scratch.makeDirectory(root)
    Scratch.makeDirectory(root.appending("overlay"))
    Scratch.makeDirectory(root.appending("overlay/l"))
  }
  let flags = parts[0] + [0, 0, 0, 0, 0, 0]
  for (index, id) in ["x", "p"].enumerated() {
    let files = OverlayLayer(home: home, id: id)
    Scratch.makeDirectory(files.path)
    for (part, file) in [files.linkFile, files.lowerFile, files.lowerLayersFile].enumerated() {
      let position = 1 + 3 * index + part
      guard position < parts.count, parts[position] != [UInt8(ascii: "-")] else { continue }
      Scratch.write(parts[position], to: file)
    }
    make(flags[3 * index], files.diff)
    make(flags[3 * index + 1] ^ 3, files.empty)
    make(flags[3 * index + 2] ^ 3, files.older(1))
  }
  let base = OverlayLayer(home: otherRoot.appending("overlay"), id: "q")
  Scratch.makeDirectory(base.path)
  Scratch.makeDirectory(base.diff)
  Scratch.write(Array("QQ".utf8), to: base.linkFile)
  Scratch.need("symlink", base.links) { () throws(Errno) in
    try Syscall.symlink(target: base.linkTarget, at: base.linkEntry("QQ"))
  }
  for part in parts.dropFirst(7) { makeEntry(part) }
}

/// A directory, a link out of the store, a link into it, or nothing.
private func make(_ kind: UInt8, _ path: FilePath) {
  switch kind & 3 {
  case 0: Scratch.makeDirectory(path)
  case 1: link(path, Scratch.path.string)
  case 2: link(path, "../p/diff")
  default: break
  }
}

private func makeEntry(_ part: [UInt8]) {
  let line = part.split(separator: UInt8(ascii: "\n"), maxSplits: 1)
  guard line.count == 2, let name = FilePath.Component(String(decoding: line[0], as: UTF8.self)), name.kind == .regular
  else { return }
  // What cannot be the name or the text of a link is not there.
  try? Syscall.symlink(
    target: String(decoding: line[1], as: UTF8.self), at: home.appending("l").appending(name))
}

private func link(_ place: FilePath, _ target: String) {
  Scratch.need("symlink", place) { () throws(Errno) in try Syscall.symlink(target: target, at: place) }
}
