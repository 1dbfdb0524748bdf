// SPDX-License-Identifier: Apache-2.0

/// Where an image archive comes from.
///
/// The format is found by looking: an OCI layout directory, a `dir:` directory, or a tar file (compressed or not) that
/// holds an OCI layout or a docker-archive (chunked-and-composefs 5.8).
public struct ImageSource: Hashable, Sendable, CustomStringConvertible {
  enum Place: Hashable, Sendable {
    case path(String)
    case standardInput
  }

  let place: Place

  /// A file or directory. A relative path counts from the current directory.
  public static func path(_ path: String) -> ImageSource { ImageSource(place: .path(path)) }

  /// The standard input of the process.
  ///
  /// A pipe is copied into an unlinked temporary file first; a redirected regular file is read in place.
  public static let standardInput = ImageSource(place: .standardInput)

  /// What to call the source in messages: the path, or `standard input`.
  public var description: String {
    switch place {
    case .path(let path): path
    case .standardInput: "standard input"
    }
  }
}
