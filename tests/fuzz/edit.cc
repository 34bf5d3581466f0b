// libFuzzer target: `POINTER LF WORD LF DOCUMENT` for set and unset. What was set is there and can be printed and read; what was
// removed is not there any more.
#include "difference.h"
#include "tree.h"

#include <cstdlib>

static void check_printing(const Tree& tree)
{
    Problems problems;
    std::string text = tree.print();
    Document document = Document::parse(text, "", problems);
    // Deeper than can be read it may be, and keys may hold a NUL, which only a word on a command line cannot.
    if (problems.count() == 0 && Tree(document.root()).print() != text)
        std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    std::string_view input(reinterpret_cast<const char*>(data), size);
    size_t pointer_end = input.find('\n');
    size_t word_end = pointer_end == std::string_view::npos ? pointer_end : input.find('\n', pointer_end + 1);
    if (word_end == std::string_view::npos)
        return 0;
    std::string_view pointer = input.substr(0, pointer_end);
    std::string_view word = input.substr(pointer_end + 1, word_end - pointer_end - 1);

    Problems problems;
    Document document = Document::parse(std::string(input.substr(word_end + 1)), "", problems);
    if (!document.root() || problems.count() > 0)
        return 0;
    if (Result<Tree> value = parse_word(pointer, word); value.has_value()) {
        Tree tree(document.root());
        if (set_at(tree, pointer, value.value()).has_value())
            check_printing(tree);
    }
    if (Tree tree(document.root()); remove_at(tree, pointer).has_value()) {
        check_printing(tree);
        std::string once = tree.print_line();
        // Items move up: only members are gone for good.
        if (!pointer.ends_with('-') && once.size() > Tree(document.root()).print_line().size())
            std::abort();
    }
    return 0;
}
