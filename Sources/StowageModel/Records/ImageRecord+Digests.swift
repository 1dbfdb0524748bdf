// SPDX-License-Identifier: Apache-2.0

extension ImageRecord {
  /// All digests of the image: the recorded one first, then those of the big data items whose key begins with
  /// `manifest` — the item `manifest` first, then by key — without repeats.
  ///
  /// If `digest` is nil, the first of the result is to be recorded as `digest` at the next save. Source: on-disk-format
  /// 6.5 and 20.15 (the reference's order of the items is random).
  ///
  /// - Throws: ``StorageError/Code/corrupt`` with the reference's text if one of these digests is not valid.
  public func computedDigests() throws(StorageError) -> [Digest] {
    var out: [Digest] = []
    if let digest {
      do {
        out.append(try Digest(parsing: digest.description))
      } catch {
        throw failure("validating image digest \(goQuoted(digest.description)): \(error)")
      }
    }
    // Sorted keys put `manifest` before everything that begins with it.
    for (key, digest) in bigDataDigests where key.utf8.starts(with: "manifest".utf8) {
      do {
        let valid = try Digest(parsing: digest.description)
        if !out.contains(valid) { out.append(valid) }
      } catch {
        throw failure(
          "validating digest \(goQuoted(digest.description)) for big data item \(goQuoted(key)): \(error)")
      }
    }
    return out
  }

  private func failure(_ text: String) -> StorageError {
    let names = "[" + names.joined(separator: " ") + "]"
    return StorageError(
      .corrupt, "computing digests for image with ID \(goQuoted(id.rawValue)) (\(names)): \(text)",
      subject: id.rawValue)
  }
}
