// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageModel
internal import SystemPackage

/// What a file or directory of a store belongs to.
enum SpaceOwner: Hashable, Sendable {
  /// A layer: its tree, its tar-split file and its big data.
  case layer(LayerID)
  /// Manifest, configuration and what else is kept with an image.
  case image(ImageID)
  /// Big data and directories of a container, not its layer.
  case container(ContainerID)
  /// Something that belongs to nothing.
  case leftover(Leftover.Kind, path: String)
  /// What is being made or deleted now: partial pulls, staged layers, what waits for its deletion.
  case underWay
  /// Records, locks and the directories themselves.
  case records
}

/// Which paths of a store belong to what. A path without statement belongs to what the directory around it does.
struct SpaceOwners: Sendable {
  /// All owners, ``SpaceOwner/records`` first.
  private(set) var all: [SpaceOwner] = [.records]
  /// The most components that a directory has in which something is stated.
  private(set) var depth = 0
  private var positions: [SpaceOwner: Int] = [.records: 0]
  private var stated: [FilePath: [ByteText: Int]] = [:]

  /// States that a path belongs to something. The first statement about a path counts.
  mutating func add(_ owner: SpaceOwner, _ path: FilePath) {
    guard let name = path.lastComponent else { return }
    let position = positions[owner] ?? all.count
    if position == all.count {
      all.append(owner)
      positions[owner] = position
    }
    let directory = path.removingLastComponent()
    depth = max(depth, directory.components.count)
    var names = stated.removeValue(forKey: directory) ?? [:]
    let text = ByteText(name.string)
    if names[text] == nil { names[text] = position }
    stated[directory] = names
  }

  /// The owners in a directory by name, as positions in ``all``; nil if nothing is stated there.
  func owners(in directory: FilePath) -> [ByteText: Int]? { stated[directory] }
}
