#include "cli/cli.h"

int main(int argc, char** argv) {
    return headgate::cli::run(argc, argv);
}
