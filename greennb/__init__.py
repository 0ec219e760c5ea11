"""greennb: what did that cell cost?"""
