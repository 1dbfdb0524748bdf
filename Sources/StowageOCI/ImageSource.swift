// SPDX-License-Identifier: Apache-2.0

import StowageImage
public import StowageModel

/// Where an image archive comes from.
///
/// The format is found by looking: an OCI layout directory, a `dir:` directory, or a tar file (compressed or not) that
/// holds an OCI layout or a docker-archive (chunked-and-composefs 5.8). A transport says which it has to be.
public struct ImageSource: Hashable, Sendable, CustomStringConvertible {
  enum Place: Hashable, Sendable {
    case path(String)
    case standardInput
  }

  /// What a source has to be (registries 1.3).
  enum Transport: String, CaseIterable, Sendable {
    case dockerArchive = "docker-archive"
    case ociArchive = "oci-archive"
    case oci
    case dir
  }

  /// Which one of several images is meant.
  enum Selector: Hashable, Sendable {
    case name(String)
    /// Position in the list of images, from 0.
    case position(Int)
  }

  let place: Place
  var transport: Transport?
  var selector: Selector?

  /// A file or directory. A relative path counts from the current directory.
  public static func path(_ path: String) -> ImageSource { ImageSource(place: .path(path)) }

  /// The standard input of the process.
  ///
  /// A pipe is copied into an unlinked temporary file first; a redirected regular file is read in place.
  public static let standardInput = ImageSource(place: .standardInput)

  private init(place: Place) { self.place = place }

  /// `TRANSPORT:PATH`, where the transport is `docker-archive`, `oci-archive`, `oci` or `dir`, and, but for `dir`, `:NAME` or `:@N`
  /// behind it for one of several images; else a path.
  ///
  /// - Throws: `usage` for a transport without path, or an empty name.
  public init(_ text: String) throws(StorageError) {
    guard let transport = Transport.allCases.first(where: { text.hasPrefix($0.rawValue + ":") }) else {
      self.init(place: .path(text))
      return
    }
    let rest = text.dropFirst(transport.rawValue.utf8.count + 1)
    // The path of a folder may have colons; the others end at the first, as names have some.
    let colon = transport == .dir ? nil : rest.firstIndex(of: ":")
    self.init(place: .path(String(colon.map { rest[..<$0] } ?? rest)))
    self.transport = transport
    let name = colon.map { rest[$0...].dropFirst() }
    guard !description.isEmpty, name?.isEmpty != true else {
      throw StorageError(
        .usage, "\(goQuoted(text)): must be \(transport.rawValue):PATH, with a name behind a further colon or none")
    }
    guard let name else { return }
    if name.hasPrefix("@") {
      guard let position = Int(name.dropFirst()), position >= 0 else {
        throw StorageError(.usage, "\(goQuoted(text)): @ must be followed by the position of the image, from 0")
      }
      selector = .position(position)
    } else {
      selector = .name(String(name))
    }
  }

  /// What to call the source in messages: the path, or `standard input`.
  public var description: String {
    switch place {
    case .path(let path): path
    case .standardInput: "standard input"
    }
  }

  /// The image that is meant, or all.
  ///
  /// - Throws: `invalidArchive` if there is no such image; `invalidReference`.
  func selected(of plans: [ImagePlan]) throws(StorageError) -> [ImagePlan] {
    switch selector {
    case nil: return plans
    case .position(let position):
      guard plans.indices.contains(position) else {
        throw StorageError(.invalidArchive, "no image @\(position): there are \(plans.count), counted from 0")
      }
      return [plans[position]]
    case .name(let text):
      let name = try ImageName(normalizing: text).description
      guard var plan = plans.first(where: { $0.names.contains(name) }) else {
        let names = plans.flatMap(\.names)
        let known = names.isEmpty ? "its images have no names" : "it has \(names.joined(separator: ", "))"
        throw StorageError(.invalidArchive, "no image is called \(goQuoted(text)): \(known)")
      }
      plan.names = [name]
      return [plan]
    }
  }
}
