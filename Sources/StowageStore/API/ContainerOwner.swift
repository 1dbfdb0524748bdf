// SPDX-License-Identifier: Apache-2.0

internal import StowageImage
public import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// The program that made a container and looks after it.
public enum ContainerOwner: String, Sendable {
  /// Podman, or what else is built on its library.
  case podman
  /// Buildah.
  case buildah
  /// CRI-O.
  case crio = "cri-o"
}

extension ContainerOperations {
  /// Who made a container, told by the metadata and the files that programs leave; nil for containers of this library, and if
  /// it cannot be told.
  public func owner(of container: ContainerRecord) -> ContainerOwner? {
    let metadata = container.metadataValue
    if metadata?["pod-id"] != nil || metadata?["pod-name"] != nil { return .crio }
    if metadata?["image-name"] != nil, metadata?["name"] != nil { return .podman }
    let directory = BigDataFiles.callersDirectory(of: container.id.rawValue, in: store.topology.containers.directory)
    return Syscall.exists(directory.appending("buildah.json")) ? .buildah : nil
  }
}

extension ContainerRecord {
  /// The metadata as Podman and CRI-O write it, a JSON object; nil if it is something else.
  public var metadataValue: JSONValue? {
    // Metadata is the caller's: any text is right.
    guard !metadata.isEmpty, let value = try? JSONDocument.parse(Array(metadata.utf8)) else { return nil }
    return value.object == nil ? nil : value
  }
}
