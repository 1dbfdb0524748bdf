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

  /// Why a container of this program is not removed behind its back, and how to do it.
  func refusal(of container: ContainerRecord) -> StorageError {
    let name = container.names.first ?? container.id.rawValue
    let (program, command) =
      switch self {
      case .podman: ("Podman", "podman rm \(name)")
      case .buildah: ("Buildah", "buildah rm \(name)")
      case .crio: ("CRI-O", "crictl rm \(container.id.rawValue)")
      }
    return StorageError(
      .busy,
      "container \(container.title) (\(container.id.rawValue.prefix(12))) is one of \(program), which would go on listing it: remove it "
        + "with \"\(command)\", or with --force if \(program) does not know it any more",
      subject: container.id.rawValue)
  }
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
